/** From a column to a vector. Text, bits and nested values are shared; numbers are widened to doubles or bigints. */
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  type FixedArray,
  getBit,
  type LogicalType,
  readInt128,
} from '@sluice/sdk';
import { decimalTexts } from './decimal-text.js';
import type { Integers, Numbers, Status, Text, Vector } from './vector.js';

/** Why a row that the source did not send (UNCHANGED) has no result. */
export const NOT_SENT = 'the source did not send this value';

export function vectorOf(type: LogicalType, column: Column): Vector {
  return { length: column.length, data: dataOf(type, column), ...statusOf(column), column };
}

function statusOf(column: Column): Status {
  const { validity, absent, special, length } = column;
  if (column.data.layout === 'none') return { validity: new Uint8Array(bitmapBytes(length)) };
  const errors = absent && absentRows(absent, length);
  return {
    ...(validity && { validity }),
    ...(special && special.size > 0 && { special }),
    ...(errors && errors.size > 0 && { errors }),
  };
}

function absentRows(absent: Bitmap, length: number): Map<number, string> {
  const rows = new Map<number, string>();
  for (let i = 0; i < length; i++) if (getBit(absent, i)) rows.set(i, NOT_SENT);
  return rows;
}

function dataOf(type: LogicalType, column: Column): Vector['data'] {
  const { data, length } = column;
  switch (data.layout) {
    case 'bits':
      return { kind: 'bits', values: data.values };
    case 'fixed':
      return fixedNumbers(type, data.values, length);
    case 'bytes':
      if (type.kind === 'decimal') return wideDecimals(data.values, length, type.scale ?? 0);
      if (type.kind === 'uuid') return fixedText(data.values, data.width, length);
      return { kind: 'whole', column };
    case 'varlen': {
      const text = varlenText(data.offsets, data.data, length);
      return type.kind === 'decimal' ? decimalTexts(text) : text;
    }
    case 'list': {
      if (type.kind !== 'list') return { kind: 'whole', column };
      const start = data.offsets.subarray(0, length);
      const end = data.offsets.subarray(1, length + 1);
      return { kind: 'lists', start, end, items: vectorOf(type.item.type, data.child) };
    }
    default:
      return { kind: 'whole', column };
  }
}

function varlenText(offsets: Int32Array, bytes: Uint8Array, length: number): Text {
  return { kind: 'text', bytes, start: offsets.subarray(0, length), end: offsets.subarray(1, length + 1) };
}

function fixedText(bytes: Uint8Array, width: number, length: number): Text {
  const bounds = new Int32Array(length + 1);
  for (let i = 0; i <= length; i++) bounds[i] = i * width;
  return varlenText(bounds, bytes, length);
}

function fixedNumbers(type: LogicalType, values: FixedArray, length: number): Numbers | Integers {
  const scale = type.kind === 'decimal' ? (type.scale ?? 0) : 0;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    const signed = values instanceof BigInt64Array;
    const safe = safeIntegers(new Int32Array(values.buffer, values.byteOffset, length * 2), length, signed);
    if (safe) return { kind: 'numbers', values: safe, scale };
    return { kind: 'integers', values: Array.from(values.subarray(0, length)), scale };
  }
  if (values instanceof Float64Array) return { kind: 'numbers', values: values.subarray(0, length), scale };
  const widened = new Float64Array(length);
  for (let i = 0; i < length; i++) widened[i] = values[i]!;
  return { kind: 'numbers', values: widened, scale };
}

/** 64-bit integers from pairs of 32-bit lanes, as doubles when every one is safe: no bigint is made. */
function safeIntegers(lanes: Int32Array, length: number, signed: boolean): Float64Array | undefined {
  const values = new Float64Array(length);
  let outside = 0;
  for (let i = 0; i < length; i++) {
    const high = signed ? lanes[2 * i + 1]! : lanes[2 * i + 1]! >>> 0;
    values[i] = high * 4_294_967_296 + (lanes[2 * i]! >>> 0);
    if (high >= 2_097_152 || high <= -2_097_152) outside++;
  }
  return outside === 0 ? values : undefined;
}

function wideDecimals(bytes: Uint8Array, length: number, scale: number): Numbers | Integers {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const lanes = new Int32Array(aligned.buffer, aligned.byteOffset, length * 4);
  const values = new Float64Array(length);
  let outside = 0;
  for (let i = 0; i < length; i++) {
    const high = lanes[4 * i + 1]!;
    const sign = high >> 31;
    values[i] = high * 4_294_967_296 + (lanes[4 * i]! >>> 0);
    if (high >= 2_097_152 || high <= -2_097_152 || lanes[4 * i + 2] !== sign || lanes[4 * i + 3] !== sign)
      outside++;
  }
  if (outside === 0) return { kind: 'numbers', values, scale };
  const wide: bigint[] = new Array(length);
  for (let i = 0; i < length; i++) wide[i] = readInt128(aligned, i * 16);
  return { kind: 'integers', values: wide, scale };
}
