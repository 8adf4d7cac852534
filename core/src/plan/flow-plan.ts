/** A checked flow before it runs: what is read, what happens to it, where it goes and what that guarantees. */
import type {
  BoundTransform,
  CatalogStream,
  Guarantee,
  Rung,
  Sink,
  Source,
  SourceCapabilities,
  StreamRead,
  TablePlan,
} from '@sluice/sdk';
import type { SinkKey } from '../ledger/ledger.js';

/** One stream of a flow. `read.generation` is 0 here; the run sets it. */
export interface StreamPlan {
  readonly stream: string;
  readonly read: StreamRead;
  readonly catalog: CatalogStream;
  readonly transforms: readonly BoundTransform[];
  readonly table: TablePlan;
  readonly guarantee: Guarantee;
  readonly rung: Rung;
  /** Remarks for people: types that widen, why a rung was taken. */
  readonly notes: readonly string[];
}

/** When an epoch is due; whichever bound is met first. */
export interface EpochBounds {
  readonly ms: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface FlowPlan {
  readonly key: SinkKey;
  /** `job/flow/sink`: what the sink stores its record under. */
  readonly sinkJob: string;
  readonly source: Source;
  readonly sink: Sink;
  readonly capabilities: SourceCapabilities;
  /** Identities of the systems on either side, as met now. */
  readonly sourceIdentity: string;
  readonly targetIdentity: string;
  readonly streams: readonly StreamPlan[];
  readonly epoch: EpochBounds;
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Lanes that may run at once. */
  readonly lanes: number;
  /** Start a new generation of full appends that are complete. */
  readonly again: boolean;
  /** Start a new generation of every stream, whatever state there is. */
  readonly fresh: boolean;
  readonly allowEmpty: boolean;
}
