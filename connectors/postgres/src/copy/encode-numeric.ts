/**
 * Encoders of numeric; see `decode-numeric.ts` for the format. The server takes digits with zeros at either end, so
 * that a column of decimals of one precision has values of one size.
 */
import type { Column } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import type { ColumnEncoder, Output, RowRange } from './column-encoder.js';
import { NUMERIC_INFINITY, NUMERIC_MINUS_INFINITY, NUMERIC_NAN, NUMERIC_NEGATIVE } from './decode-numeric.js';
import { fixedValues, halvesOf } from './encode-fixed.js';
import { RowProblem } from './row-problem.js';

const HEADER = 8;
const TWO_32 = 2 ** 32;
const EXACT = 2 ** 53;

function numericSpecial(text: string, out?: Output, at = 0): number | undefined {
  const match = /^\s*(?:(nan)|([+-]?)inf(?:inity)?)\s*$/i.exec(text);
  if (match === null) return undefined;
  const sign = match[1] ? NUMERIC_NAN : match[2] === '-' ? NUMERIC_MINUS_INFINITY : NUMERIC_INFINITY;
  out?.view.setInt32(at, 0);
  out?.view.setUint16(at + 4, sign);
  out?.view.setUint16(at + 6, 0);
  return HEADER;
}

/** Sizes of a decimal's two sides in digits of base 10000. */
class Groups {
  readonly whole: number;
  readonly fraction: number;
  readonly size: number;
  /** What a scaled value is multiplied with so that the point lies between two digits. */
  readonly align: number;

  constructor(
    precision: number,
    readonly scale: number,
  ) {
    this.whole = Math.ceil((precision - scale) / 4);
    this.fraction = Math.ceil(scale / 4);
    this.size = HEADER + 2 * (this.whole + this.fraction);
    this.align = 10 ** (4 * this.fraction - scale);
  }

  header(view: DataView, at: number, negative: boolean): void {
    view.setInt16(at, this.whole + this.fraction);
    view.setInt16(at + 2, this.whole - 1);
    view.setUint16(at + 4, negative ? NUMERIC_NEGATIVE : 0);
    view.setInt16(at + 6, this.scale);
  }

  /**
   * Digits of `value` × 10^scale, which is exact and not negative. False when it has too many. Two digits are taken
   * off at a time: what is left of 10^8 fits 32 bits, whose division is cheap.
   */
  number(view: DataView, at: number, value: number): boolean {
    let rest = value * this.align;
    let next = at + HEADER + 2 * (this.whole + this.fraction) - 2;
    for (let left = this.whole + this.fraction; left > 0; left -= 2, next -= 4) {
      const quotient = Math.floor(rest / 100_000_000);
      const pair = (rest - quotient * 100_000_000) | 0;
      const high = (pair / 10_000) | 0;
      view.setInt16(next, pair - high * 10_000);
      if (left === 1) return quotient === 0 && high === 0;
      view.setInt16(next - 2, high);
      rest = quotient;
    }
    return rest === 0;
  }

  bigint(view: DataView, at: number, value: bigint): boolean {
    let rest = value * BigInt(this.align);
    for (let k = this.whole + this.fraction - 1; k >= 0; k--) {
      const quotient = rest / 10_000n;
      view.setInt16(at + HEADER + 2 * k, Number(rest - quotient * 10_000n));
      rest = quotient;
    }
    return rest === 0n;
  }

  put(view: DataView, at: number, value: bigint): boolean {
    this.header(view, at, value < 0n);
    return this.bigint(view, at, value < 0n ? -value : value);
  }
}

function tooLong(row: number): RowProblem {
  return new RowProblem(pgErrors.valueRefused, row, 'a decimal has more digits than its type');
}

/** decimal(p ≤ 18, s) and int64, whose 64-bit values are whole numbers × 10^scale. */
export function encodeDecimal64(precision: number, scale: number): ColumnEncoder {
  const groups = new Groups(precision, scale);
  const size = groups.size;
  const exact = EXACT / groups.align;
  return {
    size,
    special: numericSpecial,
    write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
      const { validity } = column;
      const values = fixedValues<BigInt64Array>(column);
      const halves = halvesOf(column);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
        const at = cursor[i - from]!;
        view.setInt32(at, size);
        let value = halves[2 * i + 1]! * TWO_32 + (halves[2 * i]! >>> 0);
        let fits: boolean;
        if (value < exact && value > -exact) {
          groups.header(view, at + 4, value < 0);
          if (value < 0) value = -value;
          fits = groups.number(view, at + 4, value);
        } else {
          fits = groups.put(view, at + 4, values[i]!);
        }
        if (!fits) throw tooLong(i);
        cursor[i - from] = at + 4 + size;
      }
    },
  };
}

/** Integers of at most 32 bits. */
export function encodeSmallAsNumeric(digits: number): ColumnEncoder {
  const groups = new Groups(digits, 0);
  const size = groups.size;
  return {
    size,
    write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
      const { validity } = column;
      const values = fixedValues<Int32Array>(column);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
        const at = cursor[i - from]!;
        const value = values[i]!;
        view.setInt32(at, size);
        groups.header(view, at + 4, value < 0);
        groups.number(view, at + 4, Math.abs(value));
        cursor[i - from] = at + 4 + size;
      }
    },
  };
}

/** uint64, as decimal(20,0). */
export const encodeUint64AsNumeric: ColumnEncoder = encodeWide(20, 0, (column) => {
  const values = fixedValues<BigUint64Array>(column);
  const halves = halvesOf(column);
  return {
    near: (i) => (halves[2 * i + 1]! >>> 0) * TWO_32 + (halves[2 * i]! >>> 0),
    exact: (i) => values[i]!,
  };
});

/** decimal(p ≤ 38, s): 16 bytes a value, little endian. */
export function encodeDecimal128(precision: number, scale: number): ColumnEncoder {
  return encodeWide(precision, scale, ({ data }) => {
    if (data.layout !== 'bytes') throw new TypeError(`a ${data.layout} column, not bytes`);
    const view = new DataView(data.values.buffer, data.values.byteOffset, data.values.byteLength);
    return {
      near: (i) =>
        view.getInt32(i * 16 + 4, true) * TWO_32 + view.getUint32(i * 16, true) + upperHalf(view, i),
      exact: (i) => (view.getBigInt64(i * 16 + 8, true) << 64n) | view.getBigUint64(i * 16, true),
    };
  });
}

/** Zero where the upper half only repeats the sign of the lower one; else beyond every number. */
function upperHalf(view: DataView, i: number): number {
  const sign = view.getInt32(i * 16 + 4, true) >> 31;
  return view.getInt32(i * 16 + 8, true) === sign && view.getInt32(i * 16 + 12, true) === sign ? 0 : Infinity;
}

/** How values wider than a double are read. */
interface WideValues {
  /** The value if a double holds it exactly, else something as large as that or larger. */
  near(i: number): number;
  exact(i: number): bigint;
}

/** Nearly all values fit a double, and take the way without a bigint. */
function encodeWide(precision: number, scale: number, open: (column: Column) => WideValues): ColumnEncoder {
  const groups = new Groups(precision, scale);
  const size = groups.size;
  const exact = EXACT / groups.align;
  return {
    size,
    special: numericSpecial,
    write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
      const { validity } = column;
      const values = open(column);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
        const at = cursor[i - from]!;
        view.setInt32(at, size);
        const value = values.near(i);
        let fits: boolean;
        if (value < exact && value > -exact) {
          groups.header(view, at + 4, value < 0);
          fits = groups.number(view, at + 4, Math.abs(value));
        } else {
          fits = groups.put(view, at + 4, values.exact(i));
        }
        if (!fits) throw tooLong(i);
        cursor[i - from] = at + 4 + size;
      }
    },
  };
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Where the parts of a decimal's text lie: `-12.50`. */
interface Parts {
  /** First digit. */
  from: number;
  /** Behind the last digit before the point. */
  point: number;
  /** Behind the last digit. */
  to: number;
}

function partsOf(data: Uint8Array, from: number, to: number, parts: Parts): void {
  parts.from = data[from] === MINUS ? from + 1 : from;
  let point = parts.from;
  while (point < to && data[point] !== POINT) point++;
  parts.point = point;
  parts.to = to;
}

function textSize({ from, point, to }: Parts): number {
  const places = Math.max(to - point - 1, 0);
  return HEADER + 2 * (Math.ceil((point - from) / 4) + Math.ceil(places / 4));
}

/** Decimals without bounds, which are text. */
export const encodeDecimalText: ColumnEncoder = {
  special: numericSpecial,
  measure({ data, validity, length }, sizes) {
    if (data.layout !== 'varlen') throw new TypeError(`a ${data.layout} column, not a varlen one`);
    const parts: Parts = { from: 0, point: 0, to: 0 };
    for (let i = 0; i < length; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      partsOf(data.data, data.offsets[i]!, data.offsets[i + 1]!, parts);
      sizes[i]! += textSize(parts);
    }
  },
  write({ data, validity }, { from, to }, { view, cursor }) {
    if (data.layout !== 'varlen') throw new TypeError(`a ${data.layout} column, not a varlen one`);
    const parts: Parts = { from: 0, point: 0, to: 0 };
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const start = data.offsets[i]!;
      partsOf(data.data, start, data.offsets[i + 1]!, parts);
      const at = cursor[i - from]!;
      const size = textSize(parts);
      view.setInt32(at, size);
      writeText(view, at + 4, data.data, start, parts, (size - HEADER) / 2);
      cursor[i - from] = at + 4 + size;
    }
  },
};

function writeText(
  view: DataView,
  at: number,
  data: Uint8Array,
  start: number,
  parts: Parts,
  count: number,
): void {
  const { from, point, to } = parts;
  const whole = Math.ceil((point - from) / 4);
  view.setInt16(at, count);
  view.setInt16(at + 2, whole - 1);
  view.setUint16(at + 4, data[start] === MINUS ? NUMERIC_NEGATIVE : 0);
  view.setInt16(at + 6, Math.max(to - point - 1, 0));
  // The first group before the point may be short, the last one behind it is filled up with zeros.
  let next = from - ((4 - ((point - from) & 3)) & 3);
  for (let k = 0; k < count; k++) {
    if (k === whole) next = point + 1;
    let group = 0;
    for (let d = 0; d < 4; d++, next++)
      group = group * 10 + (next >= from && next < to ? data[next]! - ZERO : 0);
    view.setInt16(at + HEADER + 2 * k, group);
  }
}
