/** What an author says of a sink, and the session in which a rule uses it. */
import type {
  Connector,
  Context,
  JsonObject,
  Protocol,
  Row,
  Sink,
  SinkStream,
  SplitRecord,
  StreamSchema,
  TablePlan,
  WriteMode,
} from '@sluice/sdk';
import type { ConnectorSession } from '../connector-rules.js';
import { throughJson } from '../json-trip.js';
import { demand, Violation } from '../rule.js';
import { contextOf, DEFAULT_PATIENCE_MS, DEFAULT_SEED } from '../source/source-subject.js';
import { canonicalRow } from '../values/canonical.js';
import { demandSameRows } from '../values/row-multiset.js';
import { SinkRun } from './sink-run.js';

/** What an author's reader is asked to read. */
export interface ReadTarget {
  /** The target's name as a job would render it. */
  readonly target: string;
  /** The plan, whose `target` is the name as the system shows it. */
  readonly table: TablePlan;
  /** The connection that was written to. */
  readonly config: JsonObject;
}

export interface SinkOptions {
  readonly connector: Connector;
  /** Makes the connection to a new, empty place, as a job file has it. Called for every rule. */
  readonly config: () => JsonObject | Promise<JsonObject>;
  /** The write modes to judge, each with the protocol that commits it. */
  readonly modes: { readonly [M in WriteMode]?: Protocol };
  /**
   * Reads what the sink has written, by other means than the sink: a client, another library, the files. Nothing of
   * the sink is open while it reads. A target that is not there has no rows. Values may be the SDK's, or what the
   * system says: digits, ISO dates and times, JSON; a type's `special` values as the system's text.
   * Left out by sinks that keep nothing; rules that look at rows do not concern them then.
   */
  readonly read?: (target: ReadTarget) => readonly Row[] | Promise<readonly Row[]>;
  /** Per-stream options as a job file has them. */
  readonly options?: JsonObject;
  /** How a job would name the target of a stream; by default the stream's own name. */
  readonly target?: (stream: string) => string;
  /** A connection that is well-formed and leads nowhere: `check` must refuse it. */
  readonly unreachable?: JsonObject;
  /**
   * Types of the kit's matrix (`json_null`) that the system is known to bend, each with the reason, which the title of
   * the tests repeats. A type that the plan calls lossy, or refuses, is no exception.
   */
  readonly exceptTypes?: { readonly [name: string]: string };
  /** Rows of the largest batch; 100,000 by default. */
  readonly manyRows?: number;
  /** How long "soon" is, in milliseconds. */
  readonly patienceMs?: number;
  /** Folder that relative paths of the configuration start from. */
  readonly cwd?: string;
  /** Seed of what the kit chooses by chance. */
  readonly seed?: number;
}

/** Whether a protocol keeps positions in the sink. */
export function keepsRecord(protocol: Protocol): boolean {
  return protocol === 'atomic' || protocol === 'two-phase';
}

export class SinkSession implements ConnectorSession {
  readonly side = 'sink';
  readonly connector: Connector;
  readonly patienceMs: number;
  readonly seed: number;
  readonly protocol: Protocol;
  /** What a ledger would know of splits, by job and id; rules of sinks without a record rest on it. */
  readonly ledger = new Map<string, SplitRecord>();
  private readonly runs = new Set<SinkRun>();
  private lastFence = 0n;

  constructor(
    readonly options: SinkOptions,
    readonly rawConfig: JsonObject,
    /** The write mode under judgement. */
    readonly write: WriteMode,
  ) {
    this.connector = options.connector;
    this.patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.seed = options.seed ?? DEFAULT_SEED;
    this.protocol = options.modes[write]!;
  }

  static async begin(options: SinkOptions, write: WriteMode): Promise<SinkSession> {
    return new SinkSession(options, throughJson(await options.config()), write);
  }

  get context(): Context {
    return contextOf(this.options.cwd);
  }

  get rawOptions(): readonly JsonObject[] {
    return this.options.options === undefined ? [] : [this.options.options];
  }

  /** A sink object that shares nothing with others. */
  create(rawConfig: JsonObject = this.rawConfig): Sink {
    const { sink } = this.connector;
    if (sink === undefined) throw new Violation('the connector exports no sink');
    return sink.create(this.connector.config.parse(throughJson(rawConfig)));
  }

  /** A sink object for verbs outside a run; closed when the function has ended. */
  async withSink<T>(use: (sink: Sink, context: Context) => Promise<T>, rawConfig?: JsonObject): Promise<T> {
    const sink = this.create(rawConfig);
    try {
      return await use(sink, this.context);
    } finally {
      await sink.close?.();
    }
  }

  nextFence(): bigint {
    return ++this.lastFence;
  }

  /** Starts a run of a job on a sink object of its own: attaches it under a greater fence. */
  async run(
    options: { readonly job?: string; readonly fence?: bigint; readonly context?: Context } = {},
  ): Promise<SinkRun> {
    const { job = 'kit/main/sink', fence = this.nextFence(), context = this.context } = options;
    if (fence > this.lastFence) this.lastFence = fence;
    const run = new SinkRun(this, this.create(), { id: job, source: 'conformance kit', fence }, context);
    this.runs.add(run);
    await run.attach();
    return run;
  }

  /** Ends every run as a crash would leave it: nothing more is committed, aborted or published. */
  async crash(): Promise<void> {
    const runs = [...this.runs];
    this.runs.clear();
    for (const run of runs) await run.close();
  }

  /** A stream as core would ask the sink to plan it. */
  streamOf(schema: StreamSchema, more: Partial<SinkStream> = {}): SinkStream {
    const { stream } = schema;
    const raw = this.options.options ?? {};
    return throughJson({
      stream,
      target: this.options.target?.(stream) ?? stream,
      schema,
      read: this.usesGenerations ? 'full' : 'incremental',
      write: this.write,
      save: 'keep',
      options: (this.connector.sink?.options?.parse(raw) ?? {}) as JsonObject,
      encodings: [],
      ...more,
    });
  }

  /** Whether the mode fills a generation that is published at its end. */
  get usesGenerations(): boolean {
    return this.write === 'replace' || this.write === 'mirror';
  }

  /** The target's rows, read by the author's reader with nothing of the sink open. */
  async readRows(table: TablePlan): Promise<readonly Row[]> {
    const { read } = this.options;
    demand(read !== undefined, 'testSink was given no `read`, which this rule needs');
    await this.crash();
    const target = this.options.target?.(table.stream) ?? table.stream;
    return read({ target, table, config: this.rawConfig });
  }

  /** The target's rows as texts. */
  async rowsOf(table: TablePlan, schema: StreamSchema = table.schema): Promise<string[]> {
    return (await this.readRows(table)).map((row) => canonicalRow(schema.fields, row));
  }

  async demandRows(
    table: TablePlan,
    wanted: readonly Row[],
    what: string,
    schema = table.schema,
  ): Promise<void> {
    const texts = wanted.map((row) => canonicalRow(schema.fields, row));
    demandSameRows(await this.rowsOf(table, schema), texts, what);
  }

  async end(): Promise<void> {
    await this.crash();
  }
}
