/** The least of an engine that source and sink need, for tests: one run of one stream, lane after lane. */
import {
  Batch,
  type Context,
  type Json,
  type JsonObject,
  type Rung,
  type SaveMode,
  type Sink,
  type SinkJob,
  type Source,
  type Split,
  type StreamRead,
  type StreamSchema,
  silentLogger,
  type TablePlan,
  type WriteMode,
} from '@sluice/sdk';

export function testContext(signal: AbortSignal = new AbortController().signal): Context {
  return { signal, log: silentLogger, cwd: '/', memory: 256 * 1024 * 1024 };
}

export interface CopyRun {
  readonly source: Source;
  readonly sink: Sink;
  readonly stream: string;
  readonly target: string;
  readonly write: WriteMode;
  readonly save?: SaveMode;
  readonly rung?: Rung;
  readonly job?: string;
  readonly fence?: bigint;
  readonly options?: JsonObject;
  readonly allowEmpty?: boolean;
  /** Rows of a batch. */
  readonly batchRows?: number;
  /** The schema that arrives at the sink, instead of the source's. */
  readonly schema?: (schema: StreamSchema) => StreamSchema;
}

export interface CopyResult {
  readonly plan: TablePlan;
  readonly generation: number;
  readonly splits: readonly Split[];
  readonly rows: number;
}

let fences = 0n;

/** A fence greater than all before. */
export function nextFence(): bigint {
  fences += 1n;
  return fences;
}

/** Copies one stream whole: plan, attach, adopt, every split, publish. */
export async function copyStream(run: CopyRun, c: Context = testContext()): Promise<CopyResult> {
  const { source, sink } = run;
  const plan = await planRun(run, c);
  const job: SinkJob = {
    id: run.job ?? `test/${run.stream}/${run.target}`,
    source: await source.identity(c),
    fence: run.fence ?? nextFence(),
  };
  const record = await sink.attach(job, c);
  const generation = (record?.streams[run.stream]?.generation ?? 0) + 1;
  const read = readOf(run, plan, generation);
  const splits = await collect(source.splits([read], [], c));
  await sink.adopt(job, { streams: { [run.stream]: { generation, published: false } }, splits: {} }, c);
  await sink.applySchema(job, plan, generation, c);
  let rows = 0;
  for (const split of splits) rows += await copySplit(run, { job, plan, read, split, at: split.start }, c);
  await sink.publish(job, plan, generation, { allowEmpty: run.allowEmpty ?? false }, c);
  return { plan, generation, splits, rows };
}

export async function planRun(run: CopyRun, c: Context): Promise<TablePlan> {
  const catalog = await run.source.discover([run.stream], c);
  const found = catalog.streams[0];
  if (found === undefined) throw new Error(`no stream ${run.stream}`);
  if (found.problem !== undefined) throw found.problem;
  const encodings = (run.rung ?? 'encoded') === 'encoded' ? (found.encodings ?? []) : [];
  const [plan] = await run.sink.plan(
    [
      {
        stream: run.stream,
        target: run.target,
        schema: run.schema?.(found.schema) ?? found.schema,
        read: 'full',
        write: run.write,
        save: run.save ?? 'keep',
        options: {},
        encodings,
      },
    ],
    c,
  );
  return plan!;
}

export function readOf(run: CopyRun, plan: TablePlan, generation: number): StreamRead {
  return {
    stream: run.stream,
    mode: 'full',
    schema: plan.schema,
    generation,
    options: run.options ?? {},
    resumable: run.write === 'append',
    ...(plan.encoding !== undefined && { encoding: plan.encoding }),
  };
}

export interface SplitRun {
  readonly job: SinkJob;
  readonly plan: TablePlan;
  readonly read: StreamRead;
  readonly split: Split;
  /** Where reading begins. */
  readonly at: Json;
  /** Number of the first epoch. */
  readonly epoch?: number;
}

/** Reads one split to its end, an epoch a checkpoint; returns the rows. */
export async function copySplit(
  run: CopyRun,
  { job, plan, read, split, at, epoch = 1 }: SplitRun,
  c: Context,
): Promise<number> {
  const { generation } = read;
  const request = {
    split,
    at,
    cuts: [],
    reads: [read],
    batchRows: run.batchRows ?? 8192,
    batchBytes: 1024 * 1024,
  };
  const reader = await run.source.open(request, c);
  const writer = await run.sink.open({ job, split, generation, tables: [plan] }, c);
  if (writer.protocol !== 'atomic') throw new Error(`protocol ${writer.protocol}`);
  let rows = 0;
  try {
    for await (const message of reader) {
      if (message.kind === 'batch') {
        rows += message.rowCount;
        await writer.write(onRung(message, run.rung ?? 'encoded'));
      } else if (message.kind === 'checkpoint') {
        const { position, sealed = false } = message;
        await writer.commit({
          split,
          number: epoch++,
          generation,
          fence: job.fence,
          version: 0n,
          position,
          sealed,
        });
      }
    }
  } finally {
    await reader.close();
    await writer.close();
  }
  return rows;
}

/** The same rows, decoded as deep as the rung says. */
export function onRung(batch: Batch, rung: Rung): Batch {
  const { schema, rowCount, op } = batch;
  if (rung === 'columns') return Batch.ofColumns(schema, batch.columns(), rowCount, { op });
  return rung === 'rows' ? Batch.ofRows(schema, batch.rows(), { op }) : batch;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
