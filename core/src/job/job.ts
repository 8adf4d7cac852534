/** A job in its normal form: what a job file of either form says, checked, with every `${…}` resolved. */
import type { ReadMode } from '@sluice/sdk';
import type { RejectBound } from '../dead-letters/reject-limit.js';
import type { SchemaPolicy } from '../plan/schema-policy.js';
import type { JobValues, Settings } from './check-settings.js';
import type { ON_STREAM_FAILURE, SinkStreamInput, StreamInput, WHEN_OVER } from './job-schema.js';
import type { Path } from './path-text.js';

export type DeliveryRequirement = 'exactly-once' | 'effectively-once' | 'at-least-once';

/** What a flow does when a stream fails. */
export type OnStreamFailure = (typeof ON_STREAM_FAILURE)[number];

export interface JobConnection {
  readonly name: string;
  /** Name, package or path of the connector. */
  readonly connector: string;
  /** The connector's own keys, to be checked with its schema. */
  readonly settings: Settings;
}

/** What a pattern says of the streams that it matches; `false` leaves them out. */
export interface StreamRule {
  readonly pattern: string;
  readonly spec: StreamInput | false;
  readonly at: Path;
}

export interface SinkRule {
  readonly pattern: string;
  readonly spec: SinkStreamInput;
  readonly at: Path;
}

export interface JobTransform {
  readonly use: string;
  /** Patterns of the streams that it is for; undefined: all of them. */
  readonly streams?: readonly string[];
  /** The transform's own keys. */
  readonly settings: Settings;
}

export interface JobSink {
  readonly name: string;
  readonly was?: string;
  readonly connection: JobConnection;
  /** Patterns of the streams that it takes; undefined: all of the flow. */
  readonly only?: readonly string[];
  readonly onFailure: 'stop' | 'detach';
  /** Where the job says this, for messages. */
  readonly at: Path;
  /** Settings of all streams first, then by pattern as the job has them. */
  readonly rules: readonly SinkRule[];
}

export interface JobFlow {
  readonly name: string;
  readonly was?: string;
  readonly connection: JobConnection;
  readonly mode: ReadMode;
  readonly onFailure: OnStreamFailure;
  readonly changes: LogRules;
  readonly rate?: RateLimit;
  /** In the order of the job; undefined: all streams. */
  readonly streams: readonly StreamRule[] | undefined;
  readonly transforms: readonly JobTransform[];
  /** At least one. */
  readonly sinks: readonly JobSink[];
}

/** How the log is treated that a flow reads. */
export interface LogRules {
  /** `now` or a place of the log: changes are read from there on, and nothing is copied. */
  readonly from?: string;
  /** Bytes of it that the source may keep for the flow; undefined: as many as it likes. */
  readonly keep?: number;
  readonly whenOver: (typeof WHEN_OVER)[number];
}

/** Bounds of an epoch that the job sets; what it leaves open follows the sink. */
export interface CommitBounds {
  readonly ms?: number;
  readonly rows?: number;
  readonly bytes?: number;
}

/** How rows that cannot be kept are tolerated. */
export interface JobErrors extends RejectBound {
  /** Undefined: dead letters are kept in the ledger. */
  readonly deadLetter?: JobConnection;
}

/** How fast a source is read at most, on average. What is left out is not bounded. */
export interface RateLimit {
  readonly rowsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** `bytes`, or a `share` between 0 and 1 of what there is. */
export type MemoryBound = { readonly bytes: number } | { readonly share: number };

export interface Job extends JobValues {
  readonly name: string;
  readonly was?: string;
  /** The job file's path; undefined for a job that was passed as an object. */
  readonly file?: string;
  /** Folder that relative paths start from: that of the job file. */
  readonly cwd: string;
  readonly connections: { readonly [name: string]: JobConnection };
  readonly flows: readonly JobFlow[];
  readonly delivery: {
    readonly require?: DeliveryRequirement;
    readonly commit: CommitBounds;
    /** Sinks, as `flow.sink`, that `require` does not hold for. */
    readonly except: readonly string[];
  };
  readonly lossy: 'fail' | 'warn' | 'string';
  readonly schema: SchemaPolicy;
  /** Undefined: the first row that cannot be kept ends the run. */
  readonly errors?: JobErrors;
  readonly memory?: MemoryBound;
  /** Of all flows together. */
  readonly rate?: RateLimit;
  readonly parallel?: number;
  readonly again: boolean;
  readonly allowEmpty: boolean;
}

/** The guarantee that the job requires of a sink. */
export function requirementOf(
  { delivery }: Job,
  flow: JobFlow,
  sink: JobSink,
): DeliveryRequirement | undefined {
  return delivery.except.includes(`${flow.name}.${sink.name}`) ? undefined : delivery.require;
}
