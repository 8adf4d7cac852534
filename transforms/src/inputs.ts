/** The columns of a batch as an expression reads them. */
import { type Batch, type Column, columnBuilder, getBit, valueReader } from '@sluice/sdk';
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

/** A column with its UNCHANGED values filled from the before-image. */
export function filledColumn(batch: Batch, index: number): Column {
  const column = batch.column(index);
  const { absent } = column;
  if (absent === undefined || batch.before === undefined) return column;
  const earlier = batch.before.column(index);
  const rows = Array.from({ length: batch.rowCount }, (_, i) => i);
  return rows.some((i) => getBit(absent, i))
    ? mergedColumn(batch, index, column, earlier, (i) => getBit(absent, i))
    : column;
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
