/** The columns of a batch as an expression reads them. */
import { type Batch, type Column, columnBuilder, fieldIndex, getBit, valueReader } from '@sluice/sdk';
import type { Inputs } from './expression/compile.js';
import { vectorOf } from './kernels/from-column.js';
import type { Vector } from './kernels/vector.js';

/** Values that the source did not send are taken from the row as it was before, where that is known. */
export function inputsOf(batch: Batch): Inputs {
  const made = new Map<number, Vector>();
  return {
    rows: batch.rowCount,
    column(index) {
      let vector = made.get(index);
      if (vector === undefined) {
        vector = vectorOf(batch.schema.fields[index]!.type, filledColumn(batch, index));
        made.set(index, vector);
      }
      return vector;
    },
  };
}

/**
 * A column with its UNCHANGED values filled from the before-image. Of a deleted row that is what it was, where it says so:
 * the row itself may have nothing but its key.
 */
export function filledColumn(batch: Batch, index: number): Column {
  const column = batch.column(index);
  const { absent } = column;
  const { before, rowCount } = batch;
  if (before === undefined) return column;
  const keys = batch.schema.key.map((name) => before.column(fieldIndex(before.schema, name)));
  const wasSaid = (row: number) => keys.length > 0 && !keys.some((key) => isAbsent(key, row));
  const instead = (row: number) =>
    (absent !== undefined && getBit(absent, row)) || (batch.opAt(row) === 'delete' && wasSaid(row));
  for (let row = 0; row < rowCount; row++) {
    if (instead(row)) return mergedColumn(batch, index, column, before.column(index), instead);
  }
  return column;
}

/** Rows of one column, or of another where `other` says so. */
function mergedColumn(
  batch: Batch,
  index: number,
  column: Column,
  instead: Column,
  other: (row: number) => boolean,
): Column {
  const field = { ...batch.schema.fields[index]!, nullable: true };
  const [own, foreign] = [valueReader(field.type, column), valueReader(field.type, instead)];
  const builder = columnBuilder(field, batch.rowCount);
  for (let i = 0; i < batch.rowCount; i++) builder.append(other(i) ? foreign(i) : own(i));
  return builder.finish();
}

/** Whether the source did not send a value. */
export function isAbsent(column: Column, row: number): boolean {
  return column.absent !== undefined && getBit(column.absent, row);
}
