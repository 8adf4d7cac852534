/** One stream into one sink, step by step, for tests of commits. */
import {
  type AtomicWriter,
  Batch,
  type Epoch,
  field,
  type JsonObject,
  type Row,
  type SaveMode,
  type Sink,
  type SinkJob,
  type Split,
  type StreamSchema,
  streamSchema,
  type TablePlan,
  types,
  type WriteMode,
} from '@sluice/sdk';
import { testContext } from './copy-run.js';

export const STREAM = 'shop.orders';

/** `id` is the key. */
export const ORDERS: StreamSchema = streamSchema(
  STREAM,
  [field('id', types.int64, { nullable: false }), field('note', types.string)],
  ['id'],
);

export function split(id: string): Split {
  return { id, streams: [STREAM], phase: 'bulk', start: null, spec: { of: id } };
}

export function jobOf(fence: bigint): SinkJob {
  return { id: 'nightly/main/lake', source: 'postgres:1/2', fence };
}

export interface PlanOptions {
  readonly write?: WriteMode;
  readonly save?: SaveMode;
  readonly target?: string;
  readonly schema?: StreamSchema;
  readonly options?: JsonObject;
  readonly encodings?: readonly string[];
}

export async function planFor(sink: Sink, options: PlanOptions = {}): Promise<TablePlan> {
  const {
    write = 'append',
    save = 'keep',
    target = 'public.orders',
    schema = ORDERS,
    encodings = [],
  } = options;
  const stream = {
    stream: schema.stream,
    target,
    schema,
    write,
    save,
    encodings,
    read: 'full' as const,
    options: {},
  };
  const [plan] = await sink.plan([stream], testContext());
  return plan!;
}

/** Attaches, adopts a generation and makes the tables ready. */
export async function begin(sink: Sink, plan: TablePlan, job: SinkJob, generation = 1): Promise<void> {
  const c = testContext();
  await sink.attach(job, c);
  await sink.adopt(job, { streams: { [plan.stream]: { generation, published: false } }, splits: {} }, c);
  await sink.applySchema(job, plan, generation, c);
}

export async function openWriter(
  sink: Sink,
  plan: TablePlan,
  job: SinkJob,
  id = 'a',
  generation = 1,
): Promise<AtomicWriter> {
  const writer = await sink.open({ job, split: split(id), generation, tables: [plan] }, testContext());
  if (writer.protocol !== 'atomic') throw new Error(`protocol ${writer.protocol}`);
  return writer;
}

export function epoch(job: SinkJob, number: number, more: Partial<Epoch> & { id?: string } = {}): Epoch {
  const { id = 'a', ...rest } = more;
  return {
    split: split(id),
    number,
    generation: 1,
    fence: job.fence,
    version: (job.fence << 40n) | BigInt(number),
    position: { at: number },
    sealed: false,
    ...rest,
  };
}

export function orders(from: number, to: number, note = 'new'): Row[] {
  return Array.from({ length: to - from }, (_, i) => ({ id: BigInt(from + i), note }));
}

export function batchOf(
  rows: readonly Row[],
  schema: StreamSchema = ORDERS,
  op: Batch['op'] = 'insert',
): Batch {
  return Batch.ofRows(schema, rows, { op });
}
