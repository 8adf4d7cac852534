/** Sources whose batches are wrong. */
import {
  Batch,
  type Context,
  checkpoint,
  columnOf,
  type Json,
  type Message,
  type OpenRequest,
} from '@sluice/sdk';
import { type BrokenSource, broken } from './broken-source.js';
import { MemorySource, type Opened, shortened } from './memory-source.js';

/** Rows of every batch, for the variant that keeps its buffers. */
const sharedIds = new BigInt64Array(10_000);

export const brokenBatches: readonly BrokenSource[] = [
  changedBatches('SRC-19', 'changes the schema and tells nobody', (batch) =>
    Batch.ofColumns({ ...batch.schema, version: 2 }, batch.columns(), batch.rowCount),
  ),
  changedBatches('SRC-20', 'makes columns of the wrong length', (batch) =>
    Batch.ofColumns(batch.schema, batch.columns().map(shortened), batch.rowCount),
  ),
  changedBatches('SRC-21', 'cuts text within a character', (batch) => {
    const text = Buffer.from('é'.repeat(batch.rowCount)).subarray(1);
    const offsets = Int32Array.from({ length: batch.rowCount + 1 }, (_, i) => Math.min(2 * i, text.length));
    const broken = { length: batch.rowCount, data: { layout: 'varlen', offsets, data: text } } as const;
    return Batch.ofColumns(
      batch.schema,
      batch.schema.stream === 'numbers' ? [batch.column(0), broken] : batch.columns(),
      batch.rowCount,
    );
  }),
  changedBatches('SRC-22', 'has nulls where none may be', (batch) => {
    const nothing = columnOf(batch.schema.fields[0]!, new Array<null>(batch.rowCount).fill(null));
    return Batch.ofColumns(batch.schema, [nothing, ...batch.columns().slice(1)], batch.rowCount);
  }),
  broken(
    'SRC-23',
    'makes batches of any number of rows',
    class extends MemorySource {
      protected override endOf(_row: number, { to }: Opened): number {
        return to;
      }
    },
  ),
  broken(
    'SRC-24',
    'makes batches of any size',
    class extends MemorySource {
      protected override endOf(row: number, { request, to }: Opened): number {
        return Math.min(to, row + request.batchRows);
      }
    },
  ),
  changedBatches('SRC-25', 'copies in upserts', (batch) =>
    Batch.ofColumns(batch.schema, batch.columns(), batch.rowCount, { op: 'upsert' }),
  ),
  changedBatches('SRC-26', 'uses its buffers again', (batch) => {
    const { data } = batch.column(0);
    if (batch.schema.stream !== 'numbers' || data.layout !== 'fixed') return batch;
    sharedIds.set(data.values as BigInt64Array);
    const shared = {
      length: batch.rowCount,
      data: { layout: 'fixed', values: sharedIds.subarray(0, batch.rowCount) },
    } as const;
    return Batch.ofColumns(batch.schema, [shared, batch.column(1)], batch.rowCount);
  }),
  changedBatches('SRC-27', 'has numbers for bigints in its rows', (batch) =>
    Batch.ofRows(
      batch.schema,
      batch.rows().map((row) => (typeof row['id'] === 'bigint' ? { ...row, id: Number(row['id']) } : row)),
    ),
  ),
  broken(
    'SRC-28',
    'forgets the encoding that it was asked for',
    class extends MemorySource {
      override open(request: OpenRequest, c: Context) {
        return super.open({ ...request, reads: request.reads.map(({ encoding: _, ...read }) => read) }, c);
      }
    },
  ),
  broken(
    'SRC-29',
    'has a bigint for a position',
    class extends MemorySource {
      protected override mark(row: number, sealed: boolean): Message {
        return checkpoint(BigInt(row) as unknown as Json, sealed);
      }
    },
  ),
];

function changedBatches(rule: string, what: string, change: (batch: Batch) => Batch): BrokenSource {
  return broken(
    rule,
    what,
    class extends MemorySource {
      protected override batch(opened: Opened, from: number, to: number): Batch {
        return change(super.batch(opened, from, to));
      }
    },
  );
}
