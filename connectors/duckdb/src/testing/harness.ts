/** What the tests of this package share: folders that vanish, contexts, and a job's life in a few lines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Batch,
  type Clear,
  type Context,
  type Fill,
  type Json,
  type SaveMode,
  type Sink,
  type SinkJob,
  type SinkStream,
  type Split,
  type StreamSchema,
  silentLogger,
  type TablePlan,
  type WriteMode,
} from '@sluice/sdk';
import duckdb from '../index.js';

export function testContext(signal: AbortSignal = new AbortController().signal): Context {
  return { signal, log: silentLogger, cwd: tmpdir(), memory: 256 << 20 };
}

/** Runs a task with a folder of its own, which is removed afterwards. */
export async function withFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-duckdb-'));
  try {
    return await task(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs statements with DuckDB's own client and returns the rows of the last, as its JSON form has them. */
export async function sql(file: string, ...statements: string[]): Promise<{ [column: string]: unknown }[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    for (const statement of statements.slice(0, -1)) await connection.run(statement);
    const reader = await connection.runAndReadAll(statements.at(-1)!);
    return reader.getRowObjectsJson() as { [column: string]: unknown }[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export interface JobOptions {
  readonly write?: WriteMode;
  readonly save?: SaveMode;
  readonly target?: string;
  readonly fence?: bigint;
  readonly generation?: number;
  readonly job?: string;
  readonly config?: { readonly [key: string]: Json };
  readonly fills?: readonly Fill[];
}

/** One job's use of the sink: planned, attached and with its tables made. */
export class SinkJobRun {
  private epochs = 0;

  private constructor(
    readonly sink: Sink,
    readonly job: SinkJob,
    readonly plan: TablePlan,
    readonly generation: number,
    readonly split: Split,
    readonly c: Context,
  ) {}

  static async start(file: string, schema: StreamSchema, options: JobOptions = {}): Promise<SinkJobRun> {
    const { write = 'append', save = 'keep', target = 'main.target', fence = 1n, generation = 1 } = options;
    const c = testContext();
    const sink = duckdb.sink!.create(duckdb.config.parse({ path: file, ...options.config }));
    const job = { id: options.job ?? 'job/main/main', source: 'test', fence };
    const stream: SinkStream = {
      stream: schema.stream,
      target,
      schema,
      read: 'full',
      write,
      save,
      options: {},
      encodings: [],
      ...(options.fills && { fills: options.fills }),
    };
    try {
      const [plan] = await sink.plan([stream], c);
      const split: Split = {
        id: `${schema.stream}:0`,
        streams: [schema.stream],
        phase: 'bulk',
        start: 0,
        spec: null,
      };
      const run = new SinkJobRun(sink, job, plan!, generation, split, c);
      const record = await sink.attach(job, c);
      const held = record?.streams[schema.stream];
      if (held === undefined || held.generation < generation) {
        const entry = { split, generation, epoch: 0, position: 0, sealed: false };
        const streams = { [schema.stream]: { generation, published: false } };
        await sink.adopt(job, { streams, splits: { [split.id]: entry } }, c);
      }
      run.epochs = record?.splits[split.id]?.generation === generation ? record.splits[split.id]!.epoch : 0;
      await sink.applySchema(job, plan!, generation, c);
      return run;
    } catch (error) {
      await sink.close?.();
      throw error;
    }
  }

  /** Epochs of the split that the sink has. */
  get committed(): number {
    return this.epochs;
  }

  async writer() {
    const { job, split, generation, plan } = this;
    const writer = await this.sink.open({ job, split, generation, tables: [plan] }, this.c);
    if (writer.protocol !== 'atomic') throw new Error('the sink is atomic');
    return writer;
  }

  epoch(position: Json, sealed = false) {
    const { split, generation, job } = this;
    return { split, number: ++this.epochs, generation, fence: job.fence, version: 0n, position, sealed };
  }

  /** Writes messages as one epoch. */
  async commit(messages: readonly (Batch | Clear)[], position: Json = this.epochs + 1): Promise<void> {
    const writer = await this.writer();
    try {
      for (const message of messages) await writer.write(message);
      await writer.commit(this.epoch(position));
    } finally {
      await writer.close();
    }
  }

  publish(allowEmpty = false): Promise<void> {
    return this.sink.publish(this.job, this.plan, this.generation, { allowEmpty }, this.c);
  }

  async end(): Promise<void> {
    await this.sink.close?.();
  }
}

/** Writes messages as one epoch of a whole run, and publishes. */
export async function load(
  file: string,
  schema: StreamSchema,
  messages: readonly (Batch | Clear)[],
  options: JobOptions = {},
): Promise<void> {
  const run = await SinkJobRun.start(file, schema, options);
  try {
    await run.commit(messages);
    await run.publish();
  } finally {
    await run.end();
  }
}
