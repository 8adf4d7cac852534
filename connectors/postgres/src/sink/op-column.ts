/** Columns that a writer's temporary tables have beside the stream's own. */
import { type Batch, bitmapBytes, type Column, getBit, OPS, setBit } from '@sluice/sdk';

/** 0 for rows to write, 1 for rows to delete. */
export const OP_COLUMN = '_sluice_op';
/** Rises with every row of all of them, so that the last one of a key can be told, and what came before what. */
export const ORDER_COLUMN = '_sluice_n';
/** What the numbers come from: made once a connection. */
export const ORDER_SEQUENCE = '_sluice_order';
/** Of a row that leaves columns as they are: one bit a column, the first in the lowest of the first byte; else null. */
export const ABSENT_COLUMN = '_sluice_absent';

const DELETE = OPS.indexOf('delete');

/** The values of {@link OP_COLUMN} for a batch. */
export function opColumn({ op, rowCount }: Batch): Column {
  const values = new Int16Array(rowCount);
  if (typeof op === 'string') values.fill(op === 'delete' ? 1 : 0);
  else for (let i = 0; i < rowCount; i++) values[i] = op[i] === DELETE ? 1 : 0;
  return { length: rowCount, data: { layout: 'fixed', values } };
}

/** Whether rows that are not deleted leave columns as they are. */
export function leavesColumns(batch: Batch): boolean {
  if (batch.op === 'delete') return false;
  return batch.columns().some(({ absent }) => absent?.some((bits) => bits !== 0) === true);
}

/** The values of {@link ABSENT_COLUMN} for a batch. Of a deleted row only the key matters. */
export function absentColumn(batch: Batch): Column {
  const { rowCount } = batch;
  const columns = batch.columns();
  const width = bitmapBytes(columns.length);
  const data = new Uint8Array(rowCount * width);
  const offsets = new Int32Array(rowCount + 1);
  const validity = new Uint8Array(bitmapBytes(rowCount));
  let end = 0;
  for (let row = 0; row < rowCount; row++) {
    const mask =
      batch.opAt(row) === 'delete' ? undefined : maskOf(columns, row, data.subarray(end, end + width));
    if (mask !== undefined) {
      setBit(validity, row);
      end += width;
    }
    offsets[row + 1] = end;
  }
  return { length: rowCount, data: { layout: 'varlen', offsets, data }, validity };
}

/** Fills the mask; undefined where the row has every column. */
function maskOf(columns: readonly Column[], row: number, mask: Uint8Array): Uint8Array | undefined {
  let some = false;
  for (const [i, { absent }] of columns.entries()) {
    if (absent === undefined || !getBit(absent, row)) continue;
    setBit(mask, i);
    some = true;
  }
  return some ? mask : undefined;
}
