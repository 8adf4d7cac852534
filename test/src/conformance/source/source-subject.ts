/** What an author says of a source, and the session in which a rule uses it. */
import {
  type Catalog,
  type CatalogStream,
  type Connector,
  type Context,
  type JsonObject,
  type OpenRequest,
  type Reader,
  type ReadMode,
  type Row,
  type Source,
  type Split,
  type StreamRead,
  silentLogger,
} from '@sluice/sdk';
import type { ConnectorSession } from '../connector-rules.js';
import { throughJson } from '../json-trip.js';
import { demand, Violation } from '../rule.js';

/** Rows by stream. */
export interface RowsByStream {
  readonly [stream: string]: readonly Row[];
}

export interface SourceOptions {
  readonly connector: Connector;
  /** The connection as a job file has it, or what makes one; every rule asks anew. */
  readonly config: JsonObject | (() => JsonObject | Promise<JsonObject>);
  /** Read modes to judge. */
  readonly modes: readonly ('full' | 'incremental')[];
  /** Streams to judge; all that discovery finds by default. A few hundred rows in each are enough. */
  readonly streams?: readonly string[];
  /** Every row of these streams, as somebody else than the source under test knows them. */
  readonly expected?: RowsByStream | (() => RowsByStream | Promise<RowsByStream>);
  /** Adds rows to streams in the system and says which: an incremental read must then yield exactly these. */
  readonly mutate?: (config: JsonObject) => RowsByStream | Promise<RowsByStream>;
  /** Per-stream options as a job file has them. */
  readonly options?: { readonly [stream: string]: JsonObject };
  /** Cursor columns, for streams that are read incrementally by one. */
  readonly cursor?: { readonly [stream: string]: NonNullable<StreamRead['cursor']> };
  /** A connection that is well-formed and leads nowhere (a closed port, a missing file): `check` must refuse it. */
  readonly unreachable?: JsonObject;
  /** Say false of a source whose data exists once. */
  readonly replay?: boolean;
  /** How long "soon" is, in milliseconds. */
  readonly patienceMs?: number;
  /** Folder that relative paths of the configuration start from. */
  readonly cwd?: string;
  /** Seed of what the kit chooses by chance. */
  readonly seed?: number;
}

export const DEFAULT_PATIENCE_MS = 10_000;
export const DEFAULT_SEED = 20_240_229;

const MEMORY = 64 * 1024 * 1024;

/** A context as the engine would hand one on. */
export function contextOf(
  cwd: string | undefined,
  signal: Context['signal'] = new AbortController().signal,
): Context {
  return { signal, log: silentLogger, cwd: cwd ?? process.cwd(), memory: MEMORY };
}

export interface PlanRequest {
  readonly mode?: ReadMode;
  readonly known?: readonly Split[];
  readonly resumable?: boolean;
  readonly streams?: readonly string[];
  readonly encoding?: boolean;
  readonly source?: Source;
}

export type OpenOptions = Partial<Pick<OpenRequest, 'at' | 'cuts' | 'batchRows' | 'batchBytes'>> & {
  readonly reads?: readonly StreamRead[];
  readonly context?: Context;
  /** The object to open on, instead of one that shares nothing. */
  readonly on?: Source;
};

/** A split with what is needed to open it. */
export interface PlannedSplit {
  readonly split: Split;
  readonly reads: readonly StreamRead[];
  /** The object that planned it. */
  readonly planner: Source;
}

export class SourceSession implements ConnectorSession {
  readonly side = 'source';
  readonly connector: Connector;
  readonly patienceMs: number;
  readonly seed: number;
  /** The read mode under judgement. */
  readonly mode: ReadMode;
  private readonly sources: Source[] = [];
  private readonly readers = new Set<Reader>();
  private found: Catalog | undefined;

  constructor(
    readonly options: SourceOptions,
    readonly rawConfig: JsonObject,
    mode: ReadMode = options.modes[0]!,
  ) {
    this.connector = options.connector;
    this.mode = mode;
    this.patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.seed = options.seed ?? DEFAULT_SEED;
  }

  static async begin(options: SourceOptions, mode?: ReadMode): Promise<SourceSession> {
    const { config } = options;
    return new SourceSession(
      options,
      throughJson(typeof config === 'function' ? await config() : config),
      mode,
    );
  }

  get canReplay(): boolean {
    return this.options.replay ?? true;
  }

  get context(): Context {
    return contextOf(this.options.cwd);
  }

  get rawOptions(): readonly JsonObject[] {
    return Object.values(this.options.options ?? {});
  }

  /**
   * A source object that shares nothing with others, as a lane in another process would make it. Where the data
   * exists once there is one object, which has it.
   */
  connect(): Source {
    if (!this.canReplay && this.sources.length > 0) return this.sources[0]!;
    return this.connectTo(this.rawConfig);
  }

  connectTo(rawConfig: JsonObject): Source {
    const { source } = this.connector;
    if (source === undefined) throw new Violation('the connector exports no source');
    const made = source.create(this.connector.config.parse(throughJson(rawConfig)));
    this.sources.push(made);
    return made;
  }

  /** The streams under judgement. */
  async catalog(): Promise<Catalog> {
    const { streams } = this.options;
    this.found ??= await this.connect().discover(streams, this.context);
    for (const stream of streams ?? []) {
      const found = this.found.streams.some(({ schema }) => schema.stream === stream);
      demand(found, `discovery does not find stream ${stream}`);
    }
    demand(this.found.streams.length > 0, 'discovery finds no stream; the kit needs one with rows');
    return this.found;
  }

  /** How the streams are to be read, as an engine would plan it. */
  async reads(request: PlanRequest = {}): Promise<StreamRead[]> {
    const { streams } = await this.catalog();
    const wanted = request.streams ?? this.options.streams;
    const chosen = streams.filter(
      ({ schema, problem }) => problem === undefined && (wanted?.includes(schema.stream) ?? true),
    );
    return chosen.map((stream) => this.readOf(stream, request));
  }

  private readOf({ schema, encodings }: CatalogStream, request: PlanRequest): StreamRead {
    const { stream } = schema;
    const { mode = this.mode } = request;
    const cursor = this.options.cursor?.[stream];
    const encoding = request.encoding ? encodings?.[0] : undefined;
    const raw = this.options.options?.[stream] ?? {};
    return throughJson({
      stream,
      mode,
      schema,
      generation: mode === 'full' ? 1 : 0,
      options: (this.connector.source?.options?.parse(raw) ?? {}) as JsonObject,
      resumable: request.resumable ?? false,
      ...(cursor && { cursor }),
      ...(encoding !== undefined && { encoding }),
    });
  }

  /** The splits of the streams, as a ledger would hand them back. */
  async plan(request: PlanRequest = {}): Promise<PlannedSplit[]> {
    const reads = await this.reads(request);
    const planner = request.source ?? this.connect();
    const splits = await this.splitsOf(planner, reads, request.known);
    return splits.map((made) => {
      const split = throughJson(made);
      return { split, reads: reads.filter(({ stream }) => split.streams.includes(stream)), planner };
    });
  }

  /** What the verb yields, untouched. */
  async splitsOf(
    planner: Source,
    reads: readonly StreamRead[],
    known: readonly Split[] = [],
  ): Promise<Split[]> {
    const splits: Split[] = [];
    for await (const split of planner.splits(reads, throughJson(known), this.context)) splits.push(split);
    return splits;
  }

  /** Opens a split; on an object that did not plan it, unless the split is volatile. */
  async open({ split, reads, planner }: PlannedSplit, options: OpenOptions = {}): Promise<Reader> {
    const source = split.volatile ? planner : (options.on ?? this.connect());
    const { context = this.context, at = split.start, cuts = [] } = options;
    const { batchRows = 8192, batchBytes = 1 << 20 } = options;
    const request = throughJson({ split, at, cuts, reads: options.reads ?? reads, batchRows, batchBytes });
    const reader = await source.open(request, context);
    this.readers.add(reader);
    return reader;
  }

  async close(reader: Reader): Promise<void> {
    if (this.readers.delete(reader)) await reader.close();
  }

  async expected(): Promise<RowsByStream | undefined> {
    const { expected } = this.options;
    return typeof expected === 'function' ? expected() : expected;
  }

  async end(): Promise<void> {
    const readers = [...this.readers];
    this.readers.clear();
    await Promise.all(readers.map((reader) => reader.close()));
    await Promise.all(this.sources.splice(0).map((source) => source.close?.()));
  }
}
