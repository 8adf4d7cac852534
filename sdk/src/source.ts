/**
 * The contract of a source. Coordinator verbs and `open` share no memory but what a split carries as JSON, so
 * that lanes can run in other threads and processes. Exception: see {@link Split.volatile}.
 */
import type { Context } from './context.js';
import type { SluiceError } from './errors.js';
import type { Fill } from './fill.js';
import type { Finding } from './finding.js';
import type { Json, JsonObject } from './json.js';
import type { DropLog, KeptLog } from './kept-log.js';
import type { Message } from './message.js';
import type { ReadMode } from './modes.js';
import type { StreamSchema } from './schema.js';
import type { TypeVerdict } from './verdict.js';

export interface SourceCapabilities {
  /** Whether a split can be read again from a position. False: the source's data exists once (stdin, webhooks). */
  readonly replay: boolean;
  readonly modes: readonly ReadMode[];
  /** How gap-free increments are: `lagged` waits a fixed time for late writers. */
  readonly incremental: 'exact' | 'lagged' | 'none';
  /** Whether changes carry the row as it was before. */
  readonly before: boolean;
  /** Whether it can be told which changes a copy shows already: see {@link StreamRead.once}. Without it: no. */
  readonly once?: boolean;
}

/** One stream as discovery finds it. */
export interface CatalogStream {
  readonly schema: StreamSchema;
  /** Native → logical, one entry a column. */
  readonly types: readonly TypeVerdict[];
  /** Formats of {@link Encoded} in which this stream can be read; a sink may take one as it is. */
  readonly encodings?: readonly string[];
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  /** Columns whose values an update may come without (UNCHANGED); none by default. */
  readonly unchanged?: readonly string[];
  /** Columns that rows from before they were added may have values in (a default), of which no change tells. */
  readonly filled?: readonly string[];
  /** What {@link Source.fills} needs to know of the stream as it is now, to tell later which of its columns are new. */
  readonly mark?: Json;
  /** Whether changes carry the whole row as it was before; by default as the capabilities say. */
  readonly before?: boolean;
  /** Why the stream cannot be read (say, permission missing); it is listed, and a job that selects it fails. */
  readonly problem?: SluiceError;
  /** The first row met that cannot be read: only a job that tolerates such rows reads the others. */
  readonly broken?: SluiceError;
  /** Remarks for plans: how types were inferred, what was skipped. */
  readonly notes?: readonly string[];
}

export interface Catalog {
  readonly streams: readonly CatalogStream[];
}

/** The column that an incremental read goes by: it grows with every new or changed row. */
export interface Cursor {
  readonly column: string;
  /** Whose clock sets it: the database's inside the writing transaction, or (default) any other. */
  readonly clock?: 'database' | 'application';
  /** The time zone of its values, by IANA name, where the type keeps none. */
  readonly zone?: string;
  /** Milliseconds that a writer may be late, where the source cannot see that nobody is. */
  readonly lag?: number;
}

/** How one stream is to be read, as planned. */
export interface StreamRead {
  readonly stream: string;
  readonly mode: ReadMode;
  readonly schema: StreamSchema;
  /** The generation being filled; 0 where the mode has none. */
  readonly generation: number;
  readonly cursor?: Cursor;
  /** The per-stream options, checked by the connector's own schema. */
  readonly options: JsonObject;
  /** The format in which the sink takes this stream's rows as they are; the reader should offer it. */
  readonly encoding?: string;
  /**
   * What is committed of a generation stays, even if the generation is never finished (append). The source then
   * plans splits that later runs can resume; where it cannot, one volatile split with one checkpoint, at its end.
   */
  readonly resumable: boolean;
  /**
   * In mode `cdc`: changes must not come again that the copy shows. The copy is then read as of one instant, with one
   * checkpoint, at its end, whose position tells that instant; all rows and clears have {@link Batch.origins}, which say
   * whether such a position shows them. The engine leaves out those that are shown.
   */
  readonly once?: boolean;
  /**
   * In mode `cdc`: `now`, or a place of the log as the source names it. Changes are read from there on and nothing is
   * copied, so that updates should bring whole rows.
   */
  readonly from?: string;
}

/** What a source says of a stream that it is to read. */
export interface ReadPlan {
  readonly stream: string;
  /** For an incremental read: whether no row is missed, however late it is committed, or only those within the lag. */
  readonly increments?: 'exact' | 'lagged';
  /** Remarks for people: what makes increments lagged, which rows will not be read. */
  readonly notes: readonly string[];
}

/** A part of a stream, or one log of many streams, that is read on its own. */
export interface Split {
  /** Unique within the flow and stable: the same part has the same id in every run. */
  readonly id: string;
  readonly streams: readonly string[];
  /** `bulk` ends sealed; `log` goes on; `poll` ends each run unsealed and is taken up again by the next. */
  readonly phase: 'bulk' | 'log' | 'poll';
  /** Where reading begins when there is no position. */
  readonly start: Json;
  readonly spec: Json;
  /**
   * The split lives no longer than the source object that planned it (it reads from that object's snapshot).
   * If it is not sealed when the run ends, its streams start a new generation.
   */
  readonly volatile?: boolean;
  /**
   * The system itself keeps the stream's key unique, and all that is read are rows as inserts, none of which another
   * split of the same generation reads too. A sink need not look for rows of the same key.
   */
  readonly distinct?: boolean;
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
}

export interface OpenRequest {
  readonly split: Split;
  /** The committed position, or the split's start. */
  readonly at: Json;
  /** Positions at which a batch must end. */
  readonly cuts: readonly Json[];
  /** The plans of the split's streams. */
  readonly reads: readonly StreamRead[];
  /** Upper bounds of a batch; whichever is met first ends it. */
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Whether a log is read on and on as it grows; otherwise up to where it ends when it is opened. */
  readonly unending?: boolean;
  /**
   * Whether rows that cannot be read may be handed on as {@link Batch.rejected}, with the rest of them; otherwise the
   * reader rejects at the first.
   */
  readonly tolerant?: boolean;
}

/** Where a poll would go on. */
export type PollPlace = Pick<OpenRequest, 'split' | 'at' | 'reads'>;

/** How far what was acknowledged is behind the end of a log. */
export interface Lag {
  /** Bytes of the log between the two. */
  readonly bytes: number;
  /** Bytes of the log that the source keeps on its disk for this reader. */
  readonly kept?: number;
}

/** Reads one split. The engine asks for one message at a time and closes the reader also after an error. */
export interface Reader extends AsyncIterable<Message> {
  /** Everything up to `position` is durable in every sink and in the ledger. Called last, repeated at start. */
  ack?(position: Json): Promise<void>;
  /** Frees connections and files; called once, also while a read is pending, which then ends soon. */
  close(): Promise<void>;
}

/** A stream that a job reads, as `diagnose` is asked about it. */
export type DiagnosedStream = Pick<StreamRead, 'stream' | 'mode'>;

export interface Source {
  readonly capabilities: SourceCapabilities;
  /** Cheap: can it be reached, do credentials and permissions suffice? Rejects with a coded error. */
  check(c: Context): Promise<void>;
  /**
   * For `sluice doctor`: everything that is in the way of reading these streams, with what mends each, and in a line
   * or two what is well. Asked after `check`; streams may be missing from the system. Changes nothing, and rejects
   * only where the system cannot be asked.
   */
  diagnose?(streams: readonly DiagnosedStream[], c: Context): Promise<Finding[]>;
  /** Which system this is, independent of the address it is reached by. */
  identity(c: Context): Promise<string>;
  /** The streams that match a pattern (`*` matches any run of characters); all of them without patterns. */
  discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog>;
  /**
   * Whether the streams can be read as wanted, and how; one answer for each, in order. Changes nothing, and rejects
   * with a coded error where a stream cannot be read in its mode.
   */
  planReads?(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]>;
  /**
   * Of columns (of {@link CatalogStream.filled}) that have come to a stream since it had a mark: those that have got one
   * value in all rows that were there, which stands in no change, and for certain no other since but by changes. The
   * others are left out. Changes nothing.
   */
  fills?(schema: StreamSchema, columns: readonly string[], since: Json, c: Context): Promise<readonly Fill[]>;
  /**
   * Plans the parts to read; never scans a table to do so. `known` are the splits that the ledger has for this
   * generation: a `full` read is planned once, an `incremental` one yields only what is new. A log that is known may be
   * yielded again with other streams: those that have joined it, behind what they have to be copied for that, and
   * without those that the job no longer reads.
   */
  splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncIterable<Split>;
  /**
   * Which polls would read no row and end where they begin: their splits are not opened. One answer for each, in order;
   * false where it is not known, or where opening would warn or fail. For many streams of which few have anything new.
   */
  idle?(polls: readonly PollPlace[], c: Context): Promise<readonly boolean[]>;
  /** Opens one split; the reader owns its connection. */
  open(request: OpenRequest, c: Context): Promise<Reader>;
  /** Asked every few seconds while a run works that reads a log. May write warnings to the log of its context. */
  lag?(log: Split, c: Context): Promise<Lag>;
  /**
   * For `sluice verify`, of a split of phase `log`: where the log ends now. Whoever has read to this position has met
   * everything that was committed before the call.
   */
  logEnd?(split: Split, c: Context): Promise<Json>;
  /** Which of two positions of a log comes first: negative where it is `a`, 0 where they are one. */
  comparePositions?(split: Split, a: Json, b: Json): number;
  /**
   * For `sluice clean`: everything that the source keeps for a flow (`job/flow`, see {@link Context.flow}) in the system.
   * Answers with the statements of each step, in order, none where nothing is left; only where `certain` they are done.
   * Repeatable, wherever it was interrupted.
   */
  clean?(flow: string, certain: boolean, c: Context): Promise<string[]>;
  /**
   * For `sluice cdc slots`: what the system keeps of its log for a flow, or for all flows of anybody under names of
   * ours. Changes nothing.
   */
  keptLogs?(flow: string | undefined, c: Context): Promise<KeptLog[]>;
  /**
   * For `sluice cdc drop`: removes what {@link keptLogs} lists of a flow. Answers as `clean` does. Rejects with a coded
   * error, and changes nothing, where only `force` would do it.
   */
  dropLog?(flow: string, how: DropLog, c: Context): Promise<string[]>;
  /** Frees what the coordinator verbs opened. Called once, at the end of the run. */
  close?(): Promise<void>;
}
