/** Conversion of whole columns: by kernels where there is one, else value by value. */
import {
  type Batch,
  type Column,
  columnBuilder,
  formatType,
  type LogicalType,
  sameType,
  UNCHANGED,
  type Value,
  valueReader,
} from '@sluice/sdk';
import { transformErrors } from '../errors.js';
import { vectorOf } from '../kernels/from-column.js';
import { scaled } from '../kernels/scales.js';
import { columnFrom } from '../kernels/to-column.js';
import { fitDecimal, toInteger } from '../kernels/to-number.js';
import { toText } from '../kernels/to-text.js';
import { computedStatus, type Kernel, Outcome } from '../kernels/vector.js';
import { rowError } from '../row-error.js';
import { converter, REFUSED } from './convert-value.js';

/**
 * Converts a column of a batch, or (`image` is `before`) of the rows as they were before. What cannot be converted is
 * refused, and UNCHANGED where nobody needs it: the target never had it.
 */
export type CastColumn = (column: Column, batch: Batch, image?: 'row' | 'before') => Column;

/** Undefined where there is no conversion. */
export function columnCast(
  name: string,
  from: LogicalType,
  to: LogicalType,
  unfit: 'fail' | 'null' = 'fail',
): CastColumn | undefined {
  if (sameType(from, to)) return (column) => column;
  const convert = converter(from, to);
  if (convert === undefined) return undefined;
  const kernel = kernelFor(from, to);
  if (isRelabelled(from, to)) return (column) => column;
  return (column, batch, image) => {
    const fast = kernel && castByKernel(column, from, to, kernel);
    const needed = (row: number) => image !== 'before' && !isDeletedAnyway(batch, name, row);
    return fast ?? castByValue(column, from, to, convert, name, batch, unfit === 'null' ? 'null' : needed);
  };
}

/** Text of any kind is a string already. */
function isRelabelled(from: LogicalType, to: LogicalType): boolean {
  return to.kind === 'string' && ['enum', 'native', 'json'].includes(from.kind);
}

/** Kernels exist for the common conversions of numbers; they fail rows that value-by-value casting would refuse. */
function kernelFor(from: LogicalType, to: LogicalType): Kernel | undefined {
  if (
    to.kind === 'string' &&
    (from.kind === 'int' || (from.kind === 'decimal' && from.scale !== undefined))
  ) {
    return toText(from);
  }
  if (from.kind === 'int' && to.kind === 'int') return toInteger(from, to);
  if ((from.kind === 'decimal' || from.kind === 'int') && to.kind === 'decimal' && to.scale !== undefined) {
    return (args, rows) => {
      const outcome = new Outcome(computedStatus(args, rows), rows);
      return { length: rows, data: fitDecimal(scaled(args[0]!), to, outcome), ...outcome.status() };
    };
  }
  return undefined;
}

/** Undefined when a row is special, was not sent, or failed: then value by value, which knows what to do with it. */
function castByKernel(
  column: Column,
  from: LogicalType,
  to: LogicalType,
  kernel: Kernel,
): Column | undefined {
  if (column.special !== undefined || column.absent !== undefined) return undefined;
  const vector = kernel([vectorOf(from, column)], column.length);
  return vector.errors === undefined ? columnFrom(to, vector) : undefined;
}

function castByValue(
  column: Column,
  from: LogicalType,
  to: LogicalType,
  convert: (value: Value) => Value | typeof REFUSED,
  name: string,
  batch: Batch,
  needed: 'null' | ((row: number) => boolean),
): Column {
  const read = valueReader(from, column);
  const builder = columnBuilder({ name, type: to, nullable: true }, column.length);
  for (let i = 0; i < column.length; i++) {
    const converted = convert(read(i));
    if (converted !== REFUSED) builder.append(converted);
    else if (needed === 'null') builder.append(null);
    else if (needed(i)) throw refused(batch, name, i, from, to, read(i));
    else builder.append(UNCHANGED);
  }
  return builder.finish();
}

/** Of a row that is deleted only the key matters. */
function isDeletedAnyway(batch: Batch, column: string, row: number): boolean {
  return batch.opAt(row) === 'delete' && !batch.schema.key.includes(column);
}

function refused(batch: Batch, name: string, row: number, from: LogicalType, to: LogicalType, value: Value) {
  const shown = typeof value === 'object' ? '' : ` ${JSON.stringify(String(value).slice(0, 80))}`;
  return rowError(
    transformErrors.castRefused,
    batch,
    name,
    row,
    `the ${formatType(from)}${shown} is no ${formatType(to)}`,
  );
}
