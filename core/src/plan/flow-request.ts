/** What the planner needs of one flow: systems that are already built, and the job's settings for each stream. */
import type { JsonObject, Sink, Source, Transform } from '@sluice/sdk';
import type { JobValues } from '../job/check-settings.js';
import type { JobTransform, LogRules, RateLimit } from '../job/job.js';
import type { StreamChoice, TargetChoice } from '../job/stream-settings.js';
import type { KnownSchema } from '../ledger/known-schema.js';
import type { FlowKey } from '../ledger/ledger.js';
import type { EpochBounds } from './flow-plan.js';
import type { QuarantinedStream } from './quarantined-stream.js';
import type { SchemaPolicy } from './schema-policy.js';

/** How the job wants a stream read, its options checked. */
export type CheckedStream = Omit<StreamChoice, 'source'> & { readonly source: JsonObject };

/** How the job wants a stream written, its options checked. */
export type CheckedTarget = Omit<TargetChoice, 'options'> & { readonly options: JsonObject };

/** One sink, and how the job wants it used. */
export interface SinkRequest {
  readonly name: string;
  readonly sink: Sink;
  readonly onFailure: 'stop' | 'detach';
  /** Undefined: the sink does not take the stream. */
  readonly targetSettings: (stream: string) => CheckedTarget | undefined;
  readonly require?: 'exactly-once' | 'effectively-once' | 'at-least-once';
}

export interface FlowRequest {
  readonly key: FlowKey;
  /** Where the job's values came from, for messages. */
  readonly values: JobValues;
  readonly source: Source;
  readonly sinks: readonly SinkRequest[];
  /** Patterns that select streams; undefined: all. Settings decide about each one that matches. */
  readonly patterns: readonly string[] | undefined;
  /** Undefined: the stream is not part of the flow. */
  readonly streamSettings: (stream: string) => CheckedStream | undefined;
  readonly transforms: readonly JobTransform[];
  /** The transforms there are, by name. */
  readonly transformsByName: { readonly [name: string]: Transform };
  /** Whether rows that cannot be kept are tolerated. */
  readonly tolerant: boolean;
  readonly lossy: 'fail' | 'warn' | 'string';
  readonly schema: SchemaPolicy;
  /** By stream, the shapes that the sinks have so far; empty for a flow that never ran. */
  readonly known: ReadonlyMap<string, KnownSchema>;
  /** Streams that are left out: they are neither asked for nor looked at. */
  readonly quarantined: readonly QuarantinedStream[];
  /** Bounds that the job sets; what it leaves open follows the sink's preference. */
  readonly epoch: Partial<EpochBounds>;
  /** Bytes that the batches in flight may take, in all lanes together. */
  readonly batchMemory: number;
  /** Those that hold for the flow: its own and the job's. */
  readonly rates: readonly RateLimit[];
  readonly parallel?: number;
  readonly changes: LogRules;
  readonly again: boolean;
  readonly fresh: readonly string[];
  readonly allowEmpty: boolean;
}
