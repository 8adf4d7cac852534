/** From a vector to a column of its logical type. Rows in error must have been dealt with before. */
import {
  bitmapBytes,
  type Column,
  formatDecimal,
  getBit,
  type Layout,
  type LogicalType,
  layoutOf,
  powerOfTen,
  take,
  writeInt128,
} from '@sluice/sdk';
import { canonicalDecimal } from './decimal-text.js';
import { compact, textOfStrings } from './text-build.js';
import { hasValue, type Integers, type Numbers, type Text, type Vector } from './vector.js';

export function columnFrom(type: LogicalType, vector: Vector): Column {
  const { length, validity, special, column, errors } = vector;
  if (column && errors === undefined) return column;
  return {
    length,
    data: column ? column.data : layoutFrom(type, vector),
    ...(validity && { validity: validity.subarray(0, bitmapBytes(length)) }),
    ...(special && special.size > 0 && { special }),
  };
}

function layoutFrom(type: LogicalType, vector: Vector): Layout {
  const { data, length } = vector;
  switch (data.kind) {
    case 'bits':
      return { layout: 'bits', values: data.values.subarray(0, bitmapBytes(length)) };
    case 'numbers':
    case 'integers':
      return numberLayout(type, data, vector);
    case 'text':
      if (type.kind === 'uuid') return { layout: 'bytes', width: 16, values: fixedBytes(data, vector, 16) };
      return { layout: 'varlen', ...compact(data, vector) };
    case 'lists':
      return listLayout(type, data.start, data.end, data.items, vector);
    case 'whole':
      return data.column.data;
  }
}

function numberLayout(type: LogicalType, data: Numbers | Integers, vector: Vector): Layout {
  const { length } = vector;
  const layout = layoutOf(type);
  if (layout === 'varlen') return { layout, ...compact(decimalText(type, data, vector), vector) };
  if (layout === 'bytes16') return { layout: 'bytes', width: 16, values: wideIntegers(data, vector) };
  if (layout === 'int64' || layout === 'uint64') {
    return { layout: 'fixed', values: wide64(data, vector, layout === 'int64') };
  }
  if (data.kind === 'integers') throw new TypeError(`bigints for a ${layout} column`);
  return { layout: 'fixed', values: narrow(layout, data.values, length) };
}

const NARROW = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

function narrow(layout: string, values: Float64Array, length: number) {
  const array = NARROW[layout as keyof typeof NARROW];
  if (array === undefined) throw new TypeError(`numbers for a ${layout} column`);
  if (array === Float64Array) return values.subarray(0, length);
  const narrowed = new array(length);
  for (let i = 0; i < length; i++) narrowed[i] = values[i]!;
  return narrowed;
}

/** Writes 64-bit integers by 32-bit lanes, so that no bigint is made of a safe number. */
function wide64(data: Numbers | Integers, vector: Vector, signed: boolean): BigInt64Array | BigUint64Array {
  const { length } = vector;
  const values = signed ? new BigInt64Array(length) : new BigUint64Array(length);
  if (data.kind === 'integers') {
    for (let i = 0; i < length; i++) if (hasValue(vector, i)) values[i] = data.values[i]!;
    return values;
  }
  const lanes = new Int32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    const n = data.values[i]!;
    lanes[2 * i] = n;
    lanes[2 * i + 1] = Math.floor(n / 4_294_967_296);
  }
  return values;
}

function wideIntegers(data: Numbers | Integers, vector: Vector): Uint8Array {
  const { length } = vector;
  const values = new Uint8Array(length * 16);
  if (data.kind === 'integers') {
    for (let i = 0; i < length; i++) if (hasValue(vector, i)) writeInt128(values, i * 16, data.values[i]!);
    return values;
  }
  const lanes = new Int32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    const n = data.values[i]!;
    const high = Math.floor(n / 4_294_967_296);
    lanes[4 * i] = n;
    lanes[4 * i + 1] = high;
    lanes[4 * i + 2] = lanes[4 * i + 3] = high >> 31;
  }
  return values;
}

/** Text of decimals: with exactly the type's digits behind the point, or canonical where the type has no scale. */
function decimalText(type: LogicalType, data: Numbers | Integers, vector: Vector): Text {
  const fixed = type.kind === 'decimal' ? type.scale : 0;
  const texts: string[] = new Array(vector.length);
  for (let i = 0; i < texts.length; i++) {
    if (!hasValue(vector, i)) {
      texts[i] = '';
      continue;
    }
    const unscaled = BigInt(data.values[i]!);
    const scale = typeof data.scale === 'number' ? data.scale : data.scale[i]!;
    texts[i] =
      fixed === undefined
        ? canonicalDecimal(unscaled, scale)
        : formatDecimal(unscaled * powerOfTen(Math.max(0, fixed - scale)), fixed);
  }
  return textOfStrings(texts);
}

function fixedBytes(text: Text, vector: Vector, width: number): Uint8Array {
  const values = new Uint8Array(vector.length * width);
  for (let i = 0; i < vector.length; i++) {
    if (hasValue(vector, i)) values.set(text.bytes.subarray(text.start[i]!, text.end[i]!), i * width);
  }
  return values;
}

function listLayout(
  type: LogicalType,
  start: Int32Array,
  end: Int32Array,
  items: Vector,
  vector: Vector,
): Layout {
  if (type.kind !== 'list') throw new TypeError(`lists for a ${type.kind} column`);
  const { length } = vector;
  const offsets = new Int32Array(length + 1);
  let contiguous = true;
  for (let i = 0; i < length; i++) {
    const size = vector.validity && !getBit(vector.validity, i) ? 0 : end[i]! - start[i]!;
    if (start[i] !== offsets[i]) contiguous = false;
    offsets[i + 1] = offsets[i]! + size;
  }
  const column = columnFrom(type.item.type, items);
  if (contiguous && offsets[length] === items.length) return { layout: 'list', offsets, child: column };
  const slots = new Uint32Array(offsets[length]!);
  let at = 0;
  for (let i = 0; i < length; i++) {
    const size = offsets[i + 1]! - offsets[i]!;
    for (let slot = 0; slot < size; slot++) slots[at++] = start[i]! + slot;
  }
  return { layout: 'list', offsets, child: take(column, slots) };
}
