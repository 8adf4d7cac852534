/** Integers from cells. */
import type { Field, FixedArray } from '@sluice/sdk';
import type { CellDecoder } from './cell-decoder.js';
import { requireValues } from './cell-decoder.js';
import { type CellTable, NULL } from './cells.js';
import { storeBillions, storeSafe } from './int64-halves.js';
import { Nulls } from './nulls.js';

const MINUS = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;

const ARRAYS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

/** Integers of up to 32 bits. */
export function smallIntegers(field: Field, bits: 8 | 16 | 32, signed: boolean): CellDecoder {
  const array = ARRAYS[`${signed ? 'int' : 'uint'}${bits}`];
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const values: FixedArray = new array(to - from);
    const nulls = new Nulls(to - from);
    const { bytes, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const value = integerAt(bytes, start >> 2, ends[base + row]!);
      if (!(value >= low && value <= high)) throw refused(table, row, column, value, low, high);
      values[row - from] = value;
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

function refused(
  table: CellTable,
  row: number,
  column: number,
  value: number,
  low: number,
  high: number,
): Error {
  const why = Number.isNaN(value) ? undefined : `outside ${low} to ${high}`;
  return table.owner.badValue(table, row, column, table.textOf(row, column), why);
}

/** The integer of up to 15 digits in `bytes[p .. end]`, else NaN. */
function integerAt(bytes: Uint8Array, p: number, end: number): number {
  const first = bytes[p];
  if (first === MINUS) return -digitsAt(bytes, p + 1, end);
  return digitsAt(bytes, first === PLUS ? p + 1 : p, end);
}

function digitsAt(bytes: Uint8Array, p: number, end: number): number {
  if (p >= end || end - p > 15) return Number.NaN;
  let value = 0;
  for (; p < end; p++) {
    const digit = bytes[p]! - ZERO;
    if (digit >>> 0 > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Integers of 64 bits. */
export function bigIntegers(field: Field, signed: boolean): CellDecoder {
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const memory = new ArrayBuffer((to - from) * 8);
    const halves = new Int32Array(memory);
    const nulls = new Nulls(to - from);
    const { bytes, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const value = integerAt(bytes, start >> 2, ends[base + row]!);
      if (value >= 0 || (signed && value < 0)) storeSafe(halves, row - from, value);
      else storeLong(table, row, column, halves, row - from, signed);
    }
    requireValues(field, nulls, table, column, from);
    const values = signed ? new BigInt64Array(memory) : new BigUint64Array(memory);
    return nulls.column({ layout: 'fixed', values });
  };
}

/** Integers of more than 15 digits, and everything that is none. */
function storeLong(
  table: CellTable,
  row: number,
  column: number,
  halves: Int32Array,
  at: number,
  signed: boolean,
): void {
  const { bytes } = table;
  const end = table.ends[column * table.capacity + row]!;
  let p = table.starts[column * table.capacity + row]! >> 2;
  const negative = bytes[p] === MINUS;
  if (negative || bytes[p] === PLUS) p++;
  while (bytes[p] === ZERO && end - p > 1) p++;
  const digits = end - p;
  const cut = Math.max(end - 9, p);
  const lower = digitsAt(bytes, cut, end);
  const upper = digits <= 9 ? 0 : digitsAt(bytes, p, cut);
  if (!(digits <= 20 && lower >= 0 && upper >= 0))
    throw table.owner.badValue(table, row, column, table.textOf(row, column));
  const top = negative ? storeBillions(halves, at, -upper, -lower) : storeBillions(halves, at, upper, lower);
  const fits = signed ? top >= -(2 ** 31) && top < 2 ** 31 : top >= 0 && top < 2 ** 32;
  if (!fits) {
    const why = `outside ${signed ? 'a signed' : 'an unsigned'} integer of 64 bits`;
    throw table.owner.badValue(table, row, column, table.textOf(row, column), why);
  }
}
