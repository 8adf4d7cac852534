/**
 * Decoders of numeric. A value is digits in base 10000: int16 count, int16 weight of the first digit, uint16 sign,
 * int16 decimal places to show, then the digits (numeric_send in src/backend/utils/adt/numeric.c). Zeros at either
 * end of the digits are left out.
 */
import { type Column, powerOfTen, writeInt128 } from '@sluice/sdk';
import type { Cells } from './cells.js';
import { Specials } from './decode-fixed.js';

export const NUMERIC_NEGATIVE = 0x4000;
export const NUMERIC_NAN = 0xc000;
export const NUMERIC_INFINITY = 0xd000;
export const NUMERIC_MINUS_INFINITY = 0xf000;

/** Whole numbers up to here are exact in a float64. */
const EXACT = 2 ** 53;
const TWO_32 = 2 ** 32;
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);

/** `NaN`, `Infinity`, `-Infinity`, by the sign field. */
function specialText(sign: number): string {
  if (sign === NUMERIC_NAN) return 'NaN';
  return sign === NUMERIC_INFINITY ? 'Infinity' : '-Infinity';
}

/**
 * The value × 10^scale when it is exact in a float64, which nearly all are; else NaN. The digits are summed as one
 * whole number and then shifted; both steps are exact below 2^53.
 */
function scaledNumber(view: DataView, at: number, scale: number): number {
  const count = view.getInt16(at);
  if (count === 0) return 0;
  let digits = view.getInt16(at + 8);
  for (let k = 1; k < count; k++) digits = digits * 10_000 + view.getInt16(at + 8 + 2 * k);
  if (digits >= EXACT) return Number.NaN;
  const shift = 4 * (view.getInt16(at + 2) - count + 1) + scale;
  if (shift >= 23 || shift <= -23) return Number.NaN;
  const value = shift >= 0 ? digits * POWERS[shift]! : digits / POWERS[-shift]!;
  return value < EXACT ? value : Number.NaN;
}

/** As {@link scaledNumber}, of any size, signed. */
function scaledBigInt(view: DataView, at: number, scale: number): bigint {
  const count = view.getInt16(at);
  let digits = 0n;
  for (let k = 0; k < count; k++) digits = digits * 10_000n + BigInt(view.getInt16(at + 8 + 2 * k));
  const shift = 4 * (view.getInt16(at + 2) - count + 1) + scale;
  const value = shift >= 0 ? digits * powerOfTen(shift) : digits / powerOfTen(-shift);
  return view.getUint16(at + 4) === NUMERIC_NEGATIVE ? -value : value;
}

/** decimal(p ≤ 18, s). */
export function decodeDecimal64(cells: Cells, scale: number): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new BigInt64Array(length);
  const halves = new Int32Array(values.buffer);
  const specials = new Specials();
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    const sign = view.getUint16(at + 4);
    if (sign > NUMERIC_NEGATIVE) {
      specials.add(i, specialText(sign));
      continue;
    }
    let value = scaledNumber(view, at, scale);
    if (Number.isNaN(value)) {
      values[i] = scaledBigInt(view, at, scale);
      continue;
    }
    if (sign !== 0) value = -value;
    const high = Math.floor(value / TWO_32);
    halves[2 * i] = value - high * TWO_32;
    halves[2 * i + 1] = high;
  }
  return { length, data: { layout: 'fixed', values }, ...specials.over(cells) };
}

/** decimal(p ≤ 38, s). */
export function decodeDecimal128(cells: Cells, scale: number): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new Uint8Array(length * 16);
  const quarters = new Int32Array(values.buffer);
  const specials = new Specials();
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    const sign = view.getUint16(at + 4);
    if (sign > NUMERIC_NEGATIVE) {
      specials.add(i, specialText(sign));
      continue;
    }
    let value = scaledNumber(view, at, scale);
    if (Number.isNaN(value)) {
      writeInt128(values, i * 16, scaledBigInt(view, at, scale));
      continue;
    }
    if (sign !== 0) value = -value;
    const high = Math.floor(value / TWO_32);
    quarters[4 * i] = value - high * TWO_32;
    quarters[4 * i + 1] = high;
    quarters[4 * i + 2] = high < 0 ? -1 : 0;
    quarters[4 * i + 3] = high < 0 ? -1 : 0;
  }
  return { length, data: { layout: 'bytes', width: 16, values }, ...specials.over(cells) };
}

/** Decimals without bounds, as text with the decimal places that the server shows. */
export function decodeDecimalText(cells: Cells): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const offsets = new Int32Array(length + 1);
  let data: Buffer = Buffer.allocUnsafe(length * 12 + 64);
  const specials = new Specials();
  let end = 0;
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at >= 0) {
      const sign = view.getUint16(at + 4);
      if (sign > NUMERIC_NEGATIVE) {
        specials.add(i, specialText(sign));
      } else {
        const most = 4 * Math.max(view.getInt16(at + 2) + 1, 1) + view.getInt16(at + 6) + 6;
        if (end + most > data.length) data = grown(data, end, most);
        end = writeDecimal(view, at, data, end);
      }
    }
    offsets[i + 1] = end;
  }
  return {
    length,
    data: { layout: 'varlen', offsets, data: data.subarray(0, end) },
    ...specials.over(cells),
  };
}

function grown(data: Buffer, end: number, more: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(data.length * 2, end + more));
  data.copy(larger, 0, 0, end);
  return larger;
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Writes a value's text; returns where it ends. */
function writeDecimal(view: DataView, at: number, out: Uint8Array, end: number): number {
  const count = view.getInt16(at);
  const weight = view.getInt16(at + 2);
  const places = view.getInt16(at + 6);
  const digit = (k: number) => (k >= 0 && k < count ? view.getInt16(at + 8 + 2 * k) : 0);
  if (view.getUint16(at + 4) === NUMERIC_NEGATIVE) out[end++] = MINUS;
  if (weight < 0) out[end++] = ZERO;
  for (let k = 0; k <= weight; k++) {
    const group = digit(k);
    if (k > 0 || group >= 1000) out[end++] = ZERO + Math.floor(group / 1000);
    if (k > 0 || group >= 100) out[end++] = ZERO + (Math.floor(group / 100) % 10);
    if (k > 0 || group >= 10) out[end++] = ZERO + (Math.floor(group / 10) % 10);
    out[end++] = ZERO + (group % 10);
  }
  if (places === 0) return end;
  out[end++] = POINT;
  const stop = end + places;
  for (let k = weight + 1; end < stop; k++) {
    const group = digit(k);
    out[end] = ZERO + Math.floor(group / 1000);
    out[end + 1] = ZERO + (Math.floor(group / 100) % 10);
    out[end + 2] = ZERO + (Math.floor(group / 10) % 10);
    out[end + 3] = ZERO + (group % 10);
    end += 4;
  }
  return stop;
}
