/** A checked flow before it runs: what is read, what happens to it, where it goes and what that guarantees. */
import type {
  BoundTransform,
  CatalogStream,
  Context,
  Guarantee,
  ReadPlan,
  Rung,
  Sink,
  SluiceError,
  Source,
  SourceCapabilities,
  StreamRead,
  StreamSchema,
  TablePlan,
} from '@sluice/sdk';
import type { LogRules, OnStreamFailure, RateLimit } from '../job/job.js';
import type { KnownSchema } from '../ledger/known-schema.js';
import type { FlowKey, SinkKey } from '../ledger/ledger.js';
import type { QuarantinedStream } from './quarantined-stream.js';

/** How one sink of the flow takes a stream. */
export interface TargetPlan {
  readonly table: TablePlan;
  /** What this sink alone needs behind the flow's transforms: columns that it would bend, as text. */
  readonly casts: readonly BoundTransform[];
  readonly guarantee: Guarantee;
  readonly rung: Rung;
  /** Remarks for people: types that widen, what the sink cannot keep. */
  readonly notes: readonly string[];
}

/** One stream of a flow. `read.generation` is 0 here; the run sets it. */
export interface StreamPlan {
  readonly stream: string;
  /** Whether the flow stops with the stream, or goes on without it. */
  readonly onFailure: OnStreamFailure;
  readonly read: StreamRead;
  /** What the source says of reading it so. */
  readonly reading: ReadPlan;
  readonly catalog: CatalogStream;
  readonly transforms: readonly BoundTransform[];
  /** Columns that are new, and have one known value in all rows that were there before them. */
  readonly fills: readonly string[];
  /** By name of the sink; at least one. */
  readonly targets: { readonly [sink: string]: TargetPlan };
}

/** The shape in which a stream's rows leave the flow's transforms. */
export function arrivingSchema({ read, transforms }: Pick<StreamPlan, 'read' | 'transforms'>): StreamSchema {
  return transforms.at(-1)?.out ?? read.schema;
}

/** What the ledger is to know of a stream from here on; `before` is what it knows so far. */
export function knownSchema(plan: StreamPlan, before: KnownSchema | undefined): KnownSchema {
  const schema = arrivingSchema(plan);
  const { mark } = plan.catalog;
  const names = new Set(schema.fields.map(({ name }) => name));
  const filled = new Set([...(before?.filled ?? []), ...plan.fills]);
  const kept = [...filled].filter((name) => names.has(name));
  return { ...schema, ...(mark !== undefined && { mark }), ...(kept.length > 0 && { filled: kept }) };
}

/** When an epoch is due; whichever bound is met first. */
export interface EpochBounds {
  readonly ms: number;
  readonly rows: number;
  readonly bytes: number;
}

/** One sink of a flow. */
export interface SinkPlan {
  readonly key: SinkKey;
  /** `job/flow/sink`: what the sink stores its record under. */
  readonly sinkJob: string;
  readonly sink: Sink;
  /** Identity of the system, as met now. */
  readonly identity: string;
  readonly epoch: EpochBounds;
  /** Whether the flow stops with the sink, or goes on without it. */
  readonly onFailure: 'stop' | 'detach';
}

/** A sink that the flow goes on without, and why. It keeps its place. */
export interface DetachedSink {
  readonly sink: string;
  readonly error: SluiceError;
}

export interface FlowPlan {
  readonly key: FlowKey;
  readonly source: Source;
  readonly capabilities: SourceCapabilities;
  /** Whether what the source gives waits in a spool: its splits outlive an attempt of the run, however volatile. */
  readonly spooled?: boolean;
  /** Identity of the source, as met now. */
  readonly sourceIdentity: string;
  readonly streams: readonly StreamPlan[];
  /** Streams that the job selects and the flow goes on without. */
  readonly quarantined: readonly QuarantinedStream[];
  /** Those that could be planned; at least one. */
  readonly sinks: readonly SinkPlan[];
  /** Those that could not, and need not stop the flow. */
  readonly detached: readonly DetachedSink[];
  /**
   * Plans a stream anew that has got another shape on the way, in all sinks that take it. `known` is the shape that they
   * have so far.
   */
  replan(schema: StreamSchema, known: KnownSchema, c: Context): Promise<StreamPlan>;
  /**
   * The plan with the streams that have come since, which the job selects, and with those of `back` that were left out;
   * undefined where there are none.
   */
  renewed?(back: readonly string[], c: Context): Promise<FlowPlan | undefined>;
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Bytes without which a lane does not begin: a batch for each of its stages. */
  readonly laneBytes: number;
  readonly changes: LogRules;
  /** How fast the flow may read. */
  readonly rate?: RateLimit;
  /** Lanes that may run at once. */
  readonly lanes: number;
  /** Start a new generation of full appends that are complete. */
  readonly again: boolean;
  /** Patterns of the streams that start a new generation, whatever state there is. */
  readonly fresh: readonly string[];
  readonly allowEmpty: boolean;
}
