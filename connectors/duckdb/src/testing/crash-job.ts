/**
 * A job in a process of its own, for tests that kill it: `node crash-job.js <file> <write mode> <fence> [rows]`. It does what
 * an engine does, takes up where the sink's record says, and ends when the copy is published. Each epoch of the
 * copy is ten rows, or as many as are asked for; epoch n holds the rows from 10 (n - 1) on. An upsert also changes rows of earlier epochs.
 */
import { Batch, field, streamSchema, types, UNCHANGED, type WriteMode } from '@sluice/sdk';
import { SinkJobRun } from './harness.js';

export const CRASH_SCHEMA = streamSchema(
  'rows',
  [field('id', types.int64, { nullable: false }), field('text', types.string), field('epoch', types.int32)],
  ['id'],
);
export const CRASH_EPOCHS = 4;
const EPOCH_ROWS = 10;

/** What the target holds when `epochs` epochs are in, by id. */
export function expectedRows(
  write: WriteMode,
  epochs: number,
): { id: string; text: string; epoch: number }[] {
  const rows = Array.from({ length: epochs * EPOCH_ROWS }, (_, i) => ({
    id: String(i),
    text: textOf(i),
    epoch: Math.floor(i / EPOCH_ROWS) + 1,
  }));
  if (write !== 'upsert') return rows;
  // Every epoch after the first has deleted the first row of the one before, and stamped its second.
  return rows.flatMap((row) => {
    const changed = row.epoch < epochs;
    if (changed && Number(row.id) % EPOCH_ROWS === 0) return [];
    return changed && Number(row.id) % EPOCH_ROWS === 1 ? [{ ...row, epoch: row.epoch + 1 }] : [row];
  });
}

function textOf(i: number): string {
  return `row ${i} ${'x'.repeat(i % 50)}`;
}

function epochBatches(write: WriteMode, epoch: number, size: number): Batch[] {
  const first = (epoch - 1) * size;
  const rows = Array.from({ length: size }, (_, i) => ({
    id: BigInt(first + i),
    text: textOf(first + i),
    epoch,
  }));
  const inserts = Batch.ofRows(CRASH_SCHEMA, rows);
  if (write !== 'upsert' || epoch === 1) return [inserts];
  const before = BigInt(first - size);
  const partial = Batch.ofRows(CRASH_SCHEMA, [{ id: before + 1n, text: UNCHANGED, epoch }], { op: 'update' });
  return [inserts, Batch.ofRows(CRASH_SCHEMA, [{ id: before }], { op: 'delete' }), partial];
}

async function runJob(file: string, write: WriteMode, fence: bigint, size: number): Promise<void> {
  const run = await SinkJobRun.start(file, CRASH_SCHEMA, { write, fence });
  const writer = await run.writer();
  for (let epoch = run.committed + 1; epoch <= CRASH_EPOCHS; epoch++) {
    for (const batch of epochBatches(write, epoch, size)) await writer.write(batch);
    await writer.commit(run.epoch(epoch * size, epoch === CRASH_EPOCHS));
  }
  await writer.close();
  await run.publish();
  await run.end();
}

const [, script, file, write, fence, size] = process.argv;
if (script?.endsWith('crash-job.js'))
  await runJob(file!, write as WriteMode, BigInt(fence!), Number(size ?? EPOCH_ROWS));
