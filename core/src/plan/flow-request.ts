/** What the planner needs of one flow: systems that are already built, and the job's settings for each stream. */
import type { JsonObject, ReadMode, SaveMode, Sink, Source, Transform, WriteMode } from '@sluice/sdk';
import type { SinkKey } from '../ledger/ledger.js';
import type { EpochBounds } from './flow-plan.js';

/** How the job wants a stream read. */
export interface StreamSettings {
  readonly mode: ReadMode;
  /** Replaces the key that discovery found. */
  readonly key?: readonly string[];
  readonly cursor?: { readonly column: string; readonly clock?: 'database' | 'application' };
  /** Declared column types, as type text. */
  readonly columns: { readonly [column: string]: { readonly type?: string } };
  /** Options of the source's connector. */
  readonly source: JsonObject;
}

/** How the job wants a stream written. */
export interface TargetSettings {
  readonly write?: WriteMode;
  readonly save: SaveMode;
  /** Name template of the target. */
  readonly name?: string;
  /** Options of the sink's connector. */
  readonly options: JsonObject;
}

export interface TransformUse {
  readonly use: string;
  /** Patterns of the streams it is for; all of them when not given. */
  readonly streams?: readonly string[];
  readonly options: JsonObject;
}

export interface FlowRequest {
  readonly key: SinkKey;
  readonly source: Source;
  readonly sink: Sink;
  /** Patterns that select streams; undefined: all. Settings decide about each one that matches. */
  readonly patterns: readonly string[] | undefined;
  /** Undefined: the stream is not part of the flow. */
  readonly streamSettings: (stream: string) => StreamSettings | undefined;
  readonly targetSettings: (stream: string) => TargetSettings;
  readonly transforms: readonly TransformUse[];
  /** The transforms there are, by name. */
  readonly transformsByName: { readonly [name: string]: Transform };
  readonly lossy: 'fail' | 'warn' | 'string';
  readonly require?: 'exactly-once' | 'effectively-once' | 'at-least-once';
  /** Bounds that the job sets; what it leaves open follows the sink's preference. */
  readonly epoch: Partial<EpochBounds>;
  readonly memory: number;
  readonly parallel?: number;
  readonly again: boolean;
  readonly fresh: boolean;
  readonly allowEmpty: boolean;
}
