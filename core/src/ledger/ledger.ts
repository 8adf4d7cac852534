/**
 * The ledger: the durable record of leases, generations, splits, positions and runs. One per folder of jobs
 * (SQLite) or per team; every verb is one transaction of it.
 *
 * Writes carry the lease and compare-and-swap on its fence: a run whose lease another run has taken over gets
 * `SLUICE-CORE-0102` (fenced) from every write and can harm nothing.
 */
import type { ErrorClass, Json, JsonObject, Op, Split, SplitRecord, Token } from '@sluice/sdk';
import type { KnownSchema } from './known-schema.js';

/** A flow of a job; names are identity. */
export interface FlowKey {
  readonly job: string;
  readonly flow: string;
}

/** A sink of a flow. */
export interface SinkKey extends FlowKey {
  readonly sink: string;
}

/** Who holds a lease: enough to name it to people, and to know on the same host whether it still lives. */
export interface Holder {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  /** What tells this process from a later one of the same pid (its start time as the kernel keeps it). */
  readonly processStart: string;
}

export interface Lease {
  readonly job: string;
  readonly holder: Holder;
  /** Rises with every lease of the job, also across jobs' sinks (see {@link Ledger.raiseFence}). */
  readonly fence: bigint;
  /** Epoch milliseconds; the holder renews well before. */
  readonly expiresAt: number;
}

/** Why and since when a flow goes on without one of its streams. */
export interface Quarantine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly error: {
    readonly code: string;
    readonly class: ErrorClass;
    readonly message: string;
    readonly help: string;
    readonly details: JsonObject;
  };
}

/** A stream of a flow. */
export interface StreamState {
  /** The generation being filled or filled last; 0 for one that was never begun. */
  readonly generation: number;
  /** Whether all splits of the generation are written: they are not planned again. */
  readonly planned: boolean;
  /** The shape that its rows have had in the sinks; undefined before the first run has prepared them. */
  readonly schema?: KnownSchema;
  /** The flow goes on without the stream until it is copied anew. */
  readonly quarantined?: Quarantine;
}

/** A split as the ledger has it. */
export interface LedgerSplit {
  readonly split: Split;
  readonly generation: number;
}

/** An epoch that is staged in a two-phase sink and may or may not be published. */
export interface PreparedEpoch {
  readonly epoch: number;
  readonly position: Json;
  readonly sealed: boolean;
  readonly token: Token;
}

/** Where one sink is in one split. */
export interface PositionState extends Omit<SplitRecord, 'split'> {
  readonly prepared?: PreparedEpoch;
}

/** A generation that has become visible. */
export interface Publication {
  readonly generation: number;
  /** The run that published it. */
  readonly run: string;
}

/** One sink of a flow. */
export interface SinkState {
  /** Identities as recorded at the first run; a run that meets others stops. */
  readonly source: string;
  readonly target: string;
  /** Per stream the generation that was published last. */
  readonly published: { readonly [stream: string]: Publication };
  readonly positions: { readonly [split: string]: PositionState };
}

/** All that the ledger knows of a flow. */
export interface FlowState {
  readonly streams: { readonly [stream: string]: StreamState };
  readonly splits: { readonly [split: string]: LedgerSplit };
  readonly sinks: { readonly [sink: string]: SinkState };
}

/** What an epoch moved, kept in its history. */
export interface EpochStats {
  readonly rows: number;
  readonly bytes: number;
}

/** A committed epoch in the history, newest first; thinned by age, the newest of a split always kept. */
export interface EpochRow extends EpochStats {
  readonly sink: string;
  readonly split: string;
  readonly generation: number;
  readonly epoch: number;
  readonly position: Json;
  readonly sealed: boolean;
  readonly fence: bigint;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'stopped';

export interface RunRow {
  readonly run: string;
  readonly job: string;
  readonly status: RunStatus;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly fence: bigint;
  /** The run's result as the command line prints it. */
  readonly result?: Json;
}

/** A row that was not kept, with what it takes to look at it and to try again. */
export interface DeadLetter {
  /** The same row has the same id in every attempt at its epoch, however it is read: see `letterId`. */
  readonly id: string;
  readonly flow: string;
  readonly sink: string;
  readonly stream: string;
  readonly split: string;
  readonly generation: number;
  /** The epoch that the row would have been part of, and its place among the rows that came to the stage in it. */
  readonly epoch: number;
  readonly row: number;
  /** Where it was refused: when it was read, by the n-th of the stream's transforms (from 0), or by the sink. */
  readonly stage: 'read' | 'sink' | number;
  readonly error: { readonly code: string; readonly message: string; readonly details: JsonObject };
  /** What the row means; missing where it could not be read, and in letters of versions before this was kept. */
  readonly op?: Op;
  /** Its place in the log that it was read from, as text that sorts in the order of the log. */
  readonly position?: string;
  /** The row as it came to the stage; for a row that cannot be read what the source says of it. */
  readonly payload: Json;
  readonly run: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Which dead letters; what is left out is any. */
export interface LetterFilter {
  readonly flow?: string;
  readonly sink?: string;
  readonly stream?: string;
  readonly id?: string;
}

export interface Ledger {
  /**
   * Takes the job's lease with a greater fence. A lease whose holder is dead (same host, process gone) or expired
   * is taken over; one that lives throws `SLUICE-CORE-0101` (held) naming its holder.
   */
  acquire(job: string, holder: Holder, ttlMs: number): Promise<Lease>;
  /** Prolongs the lease. Throws fenced when it was taken over. */
  renew(lease: Lease, ttlMs: number): Promise<Lease>;
  /** Gives the lease up; the fence stays. Never throws for a lease that was taken over. */
  release(lease: Lease): Promise<void>;
  /** Makes the lease's fence greater than `above` (a sink has seen a greater one than this ledger). */
  raiseFence(lease: Lease, above: bigint): Promise<Lease>;

  flow(key: FlowKey): Promise<FlowState>;
  /** Records a sink's identities at its first use; a no-op when they are recorded. */
  registerSink(lease: Lease, key: SinkKey, identity: { source: string; target: string }): Promise<void>;
  /**
   * Starts a generation of a stream: its splits and all sinks' positions of older generations are removed (their
   * epochs stay in the history), and it is no longer quarantined. A no-op when the ledger already has this generation.
   */
  startGeneration(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void>;
  /**
   * Writes splits of the current generation before they are read. Those that are known stay as they are, but for the
   * streams of a log.
   */
  addSplits(lease: Lease, key: FlowKey, splits: readonly LedgerSplit[]): Promise<void>;
  /** Asks whoever runs the job, now or next, to copy streams of a log once more. Needs no lease: a run may go on. */
  requestCopies(key: FlowKey, streams: readonly string[]): Promise<void>;
  /** The streams that are asked for, by name. */
  requestedCopies(key: FlowKey): Promise<string[]>;
  /** Forgets requests of which the splits are added: these streams are no longer quarantined. */
  dropCopyRequests(lease: Lease, key: FlowKey, streams: readonly string[]): Promise<void>;
  /**
   * The flow goes on without a stream, whether it was begun or not, and for the reason given last. A copy of it that
   * was asked for before is not asked for any more.
   */
  quarantine(lease: Lease, key: FlowKey, stream: string, why: Quarantine): Promise<void>;
  /** All splits of the stream's generation have been added. */
  markPlanned(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void>;
  /** The sinks have got this shape of the schema's stream, which the ledger knows. */
  recordSchema(lease: Lease, key: FlowKey, schema: KnownSchema): Promise<void>;
  /** Stores a staged epoch beside the committed position. Replaces an older prepared one of the split. */
  prepare(
    lease: Lease,
    key: SinkKey,
    split: string,
    generation: number,
    prepared: PreparedEpoch,
  ): Promise<void>;
  /** Forgets a staged epoch that was lost: the committed position stands. */
  dropPrepared(lease: Lease, key: SinkKey, split: string): Promise<void>;
  /**
   * Stores a committed epoch and clears what was prepared. Positions never go back within a generation: an epoch
   * number that is not greater than the stored one is a no-op.
   */
  commit(lease: Lease, key: SinkKey, record: SplitRecord, stats: EpochStats): Promise<void>;
  /**
   * Takes over positions as the sink's own record has them, forwards or back, and forgets what was prepared.
   * Also used for a lost or older ledger.
   */
  adoptPositions(lease: Lease, key: SinkKey, records: readonly SplitRecord[]): Promise<void>;
  /** A generation has become visible in the sink. */
  markPublished(lease: Lease, key: SinkKey, stream: string, generation: number): Promise<void>;

  /**
   * Replaces all that is known of a flow by `state`, whole, and forgets what is prepared and not in it. Positions that
   * differ from those before are added to the history, as epochs without rows; a split that goes on in another
   * generation takes its history up to that position along. Repeating it changes nothing.
   */
  replaceFlow(lease: Lease, key: FlowKey, state: FlowState): Promise<void>;

  /**
   * Forgets the job's streams, splits, positions, what is prepared, published and asked for, and its sinks' identities, so that
   * the next run begins as a first one (a sink that keeps a record of its own still has its say). Runs, epochs, dead
   * letters and the fence stay.
   */
  forget(lease: Lease): Promise<void>;

  /** Stores dead letters, durably. One that is there under the same id is replaced. */
  addLetters(lease: Lease, letters: readonly DeadLetter[]): Promise<void>;
  /** The job's dead letters, oldest first. */
  letters(job: string, filter: LetterFilter, limit: number): Promise<DeadLetter[]>;
  countLetters(job: string, filter: LetterFilter): Promise<number>;
  dropLetters(lease: Lease, ids: readonly string[]): Promise<void>;

  startRun(lease: Lease, run: RunRow): Promise<void>;
  endRun(run: string, status: RunStatus, endedAt: number, result: Json): Promise<void>;
  runs(job: string, limit: number): Promise<RunRow[]>;
  epochs(key: FlowKey, limit: number): Promise<EpochRow[]>;
  /** Names of the job's flows that have state. */
  flows(job: string): Promise<string[]>;
  /** Names of jobs that have state, for lists. */
  jobs(): Promise<string[]>;
  /** The lease of a job, when it is held. */
  lease(job: string): Promise<Lease | undefined>;
  close(): Promise<void>;
}
