/**
 * The contract of a sink. `write` returning means *accepted*; only `commit` and `flush` make durable.
 * Every coordinator verb may be repeated after a crash or a lost reply and must then change nothing.
 */
import type { Batch } from './batch.js';
import type { Context } from './context.js';
import type { Fill } from './fill.js';
import type { Finding } from './finding.js';
import type { Json, JsonObject } from './json.js';
import type { Clear } from './message.js';
import type { Protocol, ReadMode, SaveMode, WriteMode } from './modes.js';
import type { StreamSchema } from './schema.js';
import type { Source, Split } from './source.js';
import type { TypeVerdict } from './verdict.js';

export interface SinkCapabilities {
  /** The write modes that the sink has, each with the protocol that commits it. */
  readonly modes: { readonly [M in WriteMode]?: Protocol };
  /** Whether readers see a source transaction whole. */
  readonly transactions: 'whole' | 'partial';
  /** Whether columns can be left as they are (UNCHANGED). */
  readonly partialUpdates: boolean;
  /** Whether an update may change the key. */
  readonly move: boolean;
  /** Whether a clear can mark rows instead of removing them: see {@link Clear.marks}. Without it: no. */
  readonly marks?: boolean;
  /** Whether writes carry an external version that the system compares, so that a stale writer is refused. */
  readonly guard: boolean;
  /** How many writers may work at once. */
  readonly writers: number;
  /** The epoch size that suits the sink; time, rows and bytes whichever comes first. */
  readonly epoch?: { readonly ms?: number; readonly rows?: number; readonly bytes?: number };
}

/** Who writes: identity of a job's use of this sink. */
export interface SinkJob {
  /** `job/flow/sink`: names are identity. */
  readonly id: string;
  /** Identity of the source. */
  readonly source: string;
  /** This run's fence; a greater one in the sink means that another run has taken over. */
  readonly fence: bigint;
}

/** What core asks a sink to plan for one stream. */
export interface SinkStream {
  readonly stream: string;
  /** The target's name as the job renders it; the sink splits and quotes it by its own rules. */
  readonly target: string;
  /** What arrives: after transforms. */
  readonly schema: StreamSchema;
  readonly read: ReadMode;
  readonly write: WriteMode;
  readonly save: SaveMode;
  readonly options: JsonObject;
  /** Formats in which the source can offer the rows unchanged; empty when a transform touches them. */
  readonly encodings: readonly string[];
  /** What rows that are in the target already have in columns that it may lack. */
  readonly fills?: readonly Fill[];
}

/** How a stream will be written. JSON, so that it can be shown, stored and handed to lanes. */
export interface TablePlan {
  readonly stream: string;
  /** The target's full name as the system shows it. */
  readonly target: string;
  readonly write: WriteMode;
  readonly protocol: Protocol;
  readonly schema: StreamSchema;
  /** The encoding that is taken as it is, where one is. */
  readonly encoding?: string;
  /**
   * How a generation becomes visible; `none` when rows are visible with their commit. `merge`: only rows that differ are
   * written, and those that are missing in it deleted.
   */
  readonly publish: 'swap' | 'refill' | 'merge' | 'directory' | 'none';
  readonly exists: boolean;
  /** Whether the target is as it should be: `applySchema` would change nothing, and need not be called. */
  readonly fits?: boolean;
  /**
   * Of the fills that were offered, the columns that all rows of the target have the value in, or have got it in before,
   * once `applySchema` has added them: whole, or not at all. Where one is left out the stream is copied once more.
   */
  readonly fills?: readonly string[];
  /** Columns that the target, which is there, lacks. */
  readonly lacks?: readonly string[];
  /** Statements or steps that will change the system, in order, for people to read. */
  readonly ddl: readonly string[];
  /** Logical → native of the sink, one entry a column. */
  readonly types: readonly TypeVerdict[];
  /** Remarks for people. */
  readonly notes?: readonly string[];
  /** What the sink itself needs to know again at the other verbs. */
  readonly detail: Json;
}

/** One committed epoch's place. */
export interface SplitRecord {
  readonly split: Split;
  readonly generation: number;
  /** Number of the last committed epoch; 0 before the first. */
  readonly epoch: number;
  readonly position: Json;
  readonly sealed: boolean;
}

export interface StreamRecord {
  readonly generation: number;
  readonly published: boolean;
}

/** What a sink remembers of a job, in the same transactions or manifests as the data. */
export interface SinkRecord {
  readonly source: string;
  /** The fence as it was found, before `attach` raised it. */
  readonly fence: bigint;
  readonly streams: { readonly [stream: string]: StreamRecord };
  readonly splits: { readonly [split: string]: SplitRecord };
}

/** What one lane commits at once. */
export interface Epoch {
  readonly split: Split;
  /** Counts from 1 per sink, split and generation. */
  readonly number: number;
  readonly generation: number;
  readonly fence: bigint;
  /** Fence in the high 23 bits, number in the low 40: a signed 64-bit external version. */
  readonly version: bigint;
  /** The position that this epoch reaches. */
  readonly position: Json;
  readonly sealed: boolean;
}

/** Names what `prepare` staged, for `commit` and `recover`. */
export type Token = JsonObject;

export type RecoveredState = 'committed' | 'committable' | 'lost';

export interface LaneRequest {
  readonly job: SinkJob;
  readonly split: Split;
  /** The generation that the split belongs to. */
  readonly generation: number;
  /** The plans of the split's streams. */
  readonly tables: readonly TablePlan[];
}

/**
 * An error of any verb that belongs to one stream names it (`streamError`): a flow may go on without that stream. What is
 * wrong with a connection, a server or a disk names none.
 */
interface WriterVerbs {
  /** Accepts a batch. Rejects with class `data` when rows cannot be placed. */
  write(message: Batch | Clear): Promise<void>;
  /**
   * Lets the system look at everything that was accepted since the last commit as it would at a commit, and keeps it
   * uncommitted. Rejects with class `data` when it refuses rows. For systems that say so late.
   */
  check?(): Promise<void>;
  /** Forgets everything since the last commit. */
  abort(): Promise<void>;
  /** Frees connections and files; what is not committed is forgotten. Called once. */
  close(): Promise<void>;
}
/** Data and positions in one transaction of the sink. Rejects with a fenced error when the fence was raised. */
export interface AtomicWriter extends WriterVerbs {
  readonly protocol: 'atomic';
  commit(epoch: Epoch): Promise<void>;
}
/** Stages durably and invisibly under a name that epoch and fence determine, then publishes idempotently. */
export interface TwoPhaseWriter extends WriterVerbs {
  readonly protocol: 'two-phase';
  prepare(epoch: Epoch): Promise<Token>;
  commit(token: Token): Promise<void>;
}
/** Writes at once, by key or at the end; `flush` returns when everything accepted is durable. */
export interface FlushWriter extends WriterVerbs {
  readonly protocol: 'keyed' | 'append';
  flush(epoch: Epoch): Promise<void>;
}
export type Writer = AtomicWriter | TwoPhaseWriter | FlushWriter;

export interface PublishOptions {
  /** Whether zero rows may replace a target that has some. */
  readonly allowEmpty: boolean;
}

/** Targets as streams that can be read: see {@link Sink.reads}. */
export interface TargetSource {
  /** A source over the sink's own system. The caller closes it. */
  readonly source: Source;
  /** What the source calls the target of each table, in order. A target that is not there is no stream of it. */
  readonly streams: readonly string[];
}

/** A target that a job writes, as `diagnose` is asked about it. */
export type DiagnosedTarget = Pick<SinkStream, 'stream' | 'target' | 'write' | 'save'>;

export interface Sink {
  readonly capabilities: SinkCapabilities;
  check(c: Context): Promise<void>;
  /**
   * For `sluice doctor`: everything that is in the way of writing these targets, with what mends each, and in a line
   * or two what is well. Asked after `check`. Changes nothing, and rejects only where the system cannot be asked.
   */
  diagnose?(targets: readonly DiagnosedTarget[], c: Context): Promise<Finding[]>;
  /** Which system this is, independent of the address it is reached by. */
  identity(c: Context): Promise<string>;
  /** Reads the targets as they are and says what will be done. Changes nothing. */
  plan(streams: readonly SinkStream[], c: Context): Promise<TablePlan[]>;
  /**
   * Raises the job's fence to `job.fence`, waiting for commits of older runs that are still landing, and returns
   * what the sink remembers, with the fence as it was found. When that one is not lower than `job.fence`, nothing
   * is raised: the engine sees it in the record and comes again with a greater one. Undefined: the sink had never
   * seen the job (it has now stored fence and source). Sinks that keep no record return undefined always.
   */
  attach(job: SinkJob, c: Context): Promise<SinkRecord | undefined>;
  /**
   * Stores the generations and splits of `record` (those of other generations of its streams are forgotten, those
   * of other streams stay). Positions that the sink has for the same generation are never set back.
   */
  adopt(job: SinkJob, record: Pick<SinkRecord, 'streams' | 'splits'>, c: Context): Promise<void>;
  /** For two-phase sinks: what became of prepared epochs. One answer each, in order. */
  recover?(job: SinkJob, tokens: readonly Token[], c: Context): Promise<RecoveredState[]>;
  /** Publishes prepared epochs that `recover` called committable. Idempotent. */
  commitPrepared?(job: SinkJob, tokens: readonly Token[], c: Context): Promise<void>;
  /**
   * Makes the target (and, for a generation that is published later, its staging) fit `table`: creates what is
   * missing, changes what differs, removes staging of other generations. Actual → wanted, so repeating is harmless.
   */
  applySchema(job: SinkJob, table: TablePlan, generation: number, c: Context): Promise<void>;
  /** Makes a complete generation visible, whole. Idempotent: also when it has been published already. */
  publish(
    job: SinkJob,
    table: TablePlan,
    generation: number,
    options: PublishOptions,
    c: Context,
  ): Promise<void>;
  open(lane: LaneRequest, c: Context): Promise<Writer>;
  /**
   * For `sluice verify`: how what is in these targets is read, all of it, whoever wrote it. A new source each time, which
   * shows the targets as they are then. Sinks without it cannot be compared with their source.
   */
  reads?(tables: readonly TablePlan[]): TargetSource;
  /**
   * For `sluice clean`: everything that the sink keeps of a job (by its id) beside the targets: its record, staging,
   * what was put aside. Answers with the statements or paths of each step, in order, none where nothing is left; only
   * where `certain` they are done. Rows of targets stay, also those of commits that were still on their way to them;
   * what jobs share goes when no other one is left in it. Waits for commits that are landing; those that come later
   * are refused. Repeatable, wherever it was interrupted.
   */
  clean?(job: string, certain: boolean, c: Context): Promise<string[]>;
  close?(): Promise<void>;
}
