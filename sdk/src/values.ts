/**
 * The one table of values. Logical type → column layout → value in `rows()`:
 *
 * | type | layout | value in rows |
 * |---|---|---|
 * | null | none | `null` |
 * | bool | bits | boolean |
 * | int8, int16, int32, uint8, uint16, uint32 | fixed (Int8Array … Uint32Array) | number |
 * | int64, uint64 | fixed (BigInt64Array, BigUint64Array) | bigint |
 * | float32, float64 | fixed (Float32Array, Float64Array) | number (NaN and ±Infinity are values) |
 * | decimal(p ≤ 18, s) | fixed (BigInt64Array), value × 10^s | string, `-12.30` with exactly s digits |
 * | decimal(p ≤ 38, s) | bytes of 16: two's complement, little endian, value × 10^s | string, as above |
 * | decimal, or p > 38 | varlen, the text | string, plain notation, no exponent |
 * | string, native | varlen, UTF-8 | string |
 * | enum | varlen, UTF-8 of the label | string |
 * | json | varlen, UTF-8 of the document | string (the document's text, not parsed) |
 * | bytes | varlen | Uint8Array |
 * | uuid | bytes of 16, network order | string, lower case with hyphens |
 * | date | fixed (Int32Array), days since 1970-01-01, proleptic Gregorian | number |
 * | time | fixed (BigInt64Array), units since midnight, 0 ≤ t ≤ 24:00 | bigint |
 * | timestamp utc, none | fixed (BigInt64Array), units since 1970-01-01 00:00 | bigint |
 * | timestamp offset | struct of timestamp utc and int16 (minutes east) | `{ at: bigint, offset: number }` |
 * | interval | bytes of 16: int32 months, int32 days, int64 nanoseconds, little endian | `{ months, days, nanos: bigint }` |
 * | duration | fixed (BigInt64Array), units | bigint |
 * | list | list | array |
 * | struct | struct | object |
 * | map | list of struct(key, value) | array of `[key, value]` |
 * | union | union | `{ tag: string, value }` |
 *
 * Beside these a row may hold `null`, {@link UNCHANGED} and a {@link Special}.
 * Nothing goes through a JavaScript `Date`, and no 64-bit integer or decimal through a float.
 */
import type { LogicalType } from './types.js';

/** The source did not send this value; distinct from null. */
export const UNCHANGED: unique symbol = Symbol.for('sluice.unchanged');
export type Unchanged = typeof UNCHANGED;

/** A value outside its logical type's range, as the system's own text: `NaN`, `infinity`, `0044-03-15 BC`. */
export class Special {
  constructor(readonly text: string) {}
}

export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly nanos: bigint;
}
export interface OffsetTimestamp {
  readonly at: bigint;
  /** Minutes east of UTC. */
  readonly offset: number;
}
export interface UnionValue {
  readonly tag: string;
  readonly value: Value;
}

/** A value as it stands in `rows()`. */
export type Value =
  | null
  | Unchanged
  | Special
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Interval
  | OffsetTimestamp
  | UnionValue
  | readonly Value[]
  | { readonly [name: string]: Value };

/** One row as a plain object, keyed by column name. */
export type Row = { [column: string]: Value };

/** The largest precision that fits each fixed decimal layout. */
export const DECIMAL64_DIGITS = 18;
export const DECIMAL128_DIGITS = 38;

/** Which layout a type's columns have. */
export type LayoutKind =
  | 'none'
  | 'bits'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'bytes16'
  | 'varlen'
  | 'list'
  | 'struct'
  | 'union';

/** The layout of a type, by the table above. */
export function layoutOf(type: LogicalType): LayoutKind {
  switch (type.kind) {
    case 'null':
      return 'none';
    case 'bool':
      return 'bits';
    case 'int':
      return `${type.signed ? 'int' : 'uint'}${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      if (type.precision === undefined || type.precision > DECIMAL128_DIGITS) return 'varlen';
      return type.precision <= DECIMAL64_DIGITS ? 'int64' : 'bytes16';
    case 'date':
      return 'int32';
    case 'time':
    case 'duration':
      return 'int64';
    case 'timestamp':
      return type.zone === 'offset' ? 'struct' : 'int64';
    case 'uuid':
    case 'interval':
      return 'bytes16';
    case 'list':
    case 'map':
      return 'list';
    case 'struct':
      return 'struct';
    case 'union':
      return 'union';
    default:
      return 'varlen';
  }
}
