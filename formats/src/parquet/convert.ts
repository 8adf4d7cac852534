/**
 * Stored values to the layout of their logical type. What the type cannot hold (a timestamp whose microseconds
 * pass 64 bits, text that is not UTF-8) goes beside the column as special text, never bent to fit.
 */
import { isUtf8 } from 'node:buffer';
import {
  type FixedArray,
  formatDecimal,
  formatTimestamp,
  type Layout,
  type LogicalType,
  type TimeUnit,
  writeInt128,
} from '@sluice/sdk';
import { BoolCollector, BytesCollector, type Collector, FixedCollector } from './collect.js';
import { Damage, sound } from './damage.js';
import { Physical } from './format.js';
import { decimalBytes, type LeafConversion } from './leaf-type.js';
import type { ReadLeaf } from './schema-read.js';

/** The present values of a leaf, in order, in their final layout; special ones by their place among them. */
export interface Converted {
  readonly data: Layout;
  readonly special?: Map<number, string>;
}

export function convert(leaf: ReadLeaf, type: LogicalType, values: Collector): Converted {
  const { conversion } = leaf;
  if (conversion.how === 'none') return { data: { layout: 'none' } };
  if (values instanceof BoolCollector) return { data: packedBits(values) };
  if (conversion.how === 'decimal') return decimals(leaf, conversion, values);
  if (values instanceof BytesCollector)
    return conversion.how === 'text' ? texts(values) : { data: varlen(values) };
  return fixedValues(leaf, type, values);
}

function fixedValues(leaf: ReadLeaf, type: LogicalType, values: FixedCollector): Converted {
  const { conversion } = leaf;
  const { count } = values;
  switch (conversion.how) {
    case 'words':
      return { data: fixed(typedView(type, values)) };
    case 'narrow':
      return { data: fixed(narrowed(type, signedWords(values))) };
    case 'uuid':
      return { data: { layout: 'bytes', width: 16, values: values.bytes.subarray(0, count * 16) } };
    case 'millis':
      return fromMillis(leaf, type, values);
    case 'int96':
      return fromInt96(conversion.unit, values);
    case 'interval':
      return { data: { layout: 'bytes', width: 16, values: fromInterval(values) } };
    case 'float16':
      return { data: fixed(fromFloat16(values)) };
    case 'fixed-bytes': {
      const offsets = new Int32Array(count + 1);
      for (let i = 1; i <= count; i++) offsets[i] = i * values.stride;
      return { data: { layout: 'varlen', offsets, data: values.bytes.subarray(0, count * values.stride) } };
    }
    default:
      throw new Damage(`values of fixed width stand for ${conversion.how}`);
  }
}

function fixed(values: FixedArray): Layout {
  return { layout: 'fixed', values };
}

function signedWords({ bytes, count }: FixedCollector): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, count);
}
function signedLongs({ bytes, count }: FixedCollector): BigInt64Array {
  return new BigInt64Array(bytes.buffer, bytes.byteOffset, count);
}

/** The collected memory itself, as the array that the type has. */
function typedView(type: LogicalType, values: FixedCollector): FixedArray {
  const { buffer, byteOffset } = values.bytes;
  if (type.kind === 'float') {
    return type.bits === 32
      ? new Float32Array(buffer, byteOffset, values.count)
      : new Float64Array(buffer, byteOffset, values.count);
  }
  if (type.kind === 'int' && !type.signed) {
    return type.bits === 32
      ? new Uint32Array(buffer, byteOffset, values.count)
      : new BigUint64Array(buffer, byteOffset, values.count);
  }
  return values.stride === 4 ? signedWords(values) : signedLongs(values);
}

const NARROW = { int8: Int8Array, int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array } as const;

function narrowed(type: LogicalType, wide: Int32Array): FixedArray {
  if (type.kind !== 'int') throw new TypeError(`a ${type.kind} is not narrow`);
  const array = NARROW[`${type.signed ? 'int' : 'uint'}${type.bits}` as keyof typeof NARROW];
  const narrow = new array(wide.length);
  let isSame = true;
  for (let i = 0; i < wide.length; i++) {
    narrow[i] = wide[i]!;
    if (narrow[i] !== wide[i]) isSame = false;
  }
  sound(isSame, `a value passes the ${type.bits} bits that its column is annotated with`);
  return narrow;
}

function packedBits({ bools, count }: BoolCollector): Layout {
  const bits = new Uint8Array((count + 7) >> 3);
  for (let i = 0; i < count; i++) bits[i >> 3]! |= bools[i]! << (i & 7);
  return { layout: 'bits', values: bits };
}

function varlen({ offsets, count, data, end }: BytesCollector): Layout {
  return { layout: 'varlen', offsets: offsets.subarray(0, count + 1), data: data.subarray(0, end) };
}

/** Text; values that are not UTF-8 are special: `\x` and their bytes in hexadecimal. */
function texts(values: BytesCollector): Converted {
  const { offsets, data, count, end } = values;
  // All at once when it is sound, as it nearly always is; then only no value may begin inside a character.
  let suspect = !isUtf8(data.subarray(0, end));
  for (let i = 0; i < count && !suspect; i++) {
    suspect = offsets[i]! < offsets[i + 1]! && (data[offsets[i]!]! & 0xc0) === 0x80;
  }
  if (!suspect) return { data: varlen(values) };
  const special = new Map<number, string>();
  const kept = new Int32Array(count + 1);
  let put = 0;
  for (let i = 0; i < count; i++) {
    const value = data.slice(offsets[i]!, offsets[i + 1]!);
    if (isUtf8(value)) {
      data.set(value, put);
      put += value.byteLength;
    } else special.set(i, `\\x${Buffer.from(value).toString('hex')}`);
    kept[i + 1] = put;
  }
  const layout: Layout = { layout: 'varlen', offsets: kept, data: data.subarray(0, put) };
  return { data: layout, ...(special.size > 0 && { special }) };
}

/** Milliseconds to microseconds. */
function fromMillis(leaf: ReadLeaf, type: LogicalType, values: FixedCollector): Converted {
  const micros = new BigInt64Array(values.count);
  if (leaf.physical === Physical.INT32) {
    const words = signedWords(values);
    for (let i = 0; i < words.length; i++) micros[i] = BigInt(words[i]! * 1000);
    return { data: fixed(micros) };
  }
  const longs = signedLongs(values);
  const special = new Map<number, string>();
  for (let i = 0; i < longs.length; i++) {
    const wide = longs[i]! * 1000n;
    micros[i] = wide;
    if (micros[i] === wide) continue;
    micros[i] = 0n;
    special.set(
      i,
      type.kind === 'timestamp' ? formatTimestamp(wide, 'us', plainZone(type.zone)) : `${wide} µs`,
    );
  }
  return { data: fixed(micros), ...(special.size > 0 && { special }) };
}

function plainZone(zone: 'utc' | 'none' | 'offset'): 'utc' | 'none' {
  return zone === 'none' ? 'none' : 'utc';
}

/** Nanoseconds of the day in eight bytes, then the Julian day in four; day 2,440,588 is 1970-01-01. */
function fromInt96(unit: TimeUnit, values: FixedCollector): Converted {
  const units = new BigInt64Array(values.count);
  const special = new Map<number, string>();
  const { words } = values;
  for (let i = 0; i < values.count; i++) {
    const ofDay = (BigInt(words[3 * i + 1]! | 0) << 32n) | BigInt(words[3 * i]!);
    const nanos = BigInt((words[3 * i + 2]! | 0) - 2_440_588) * 86_400_000_000_000n + ofDay;
    const value = unit === 'ns' ? nanos : nanos / 1000n;
    units[i] = value;
    if (units[i] === value && (unit === 'ns' || nanos % 1000n === 0n)) continue;
    units[i] = 0n;
    special.set(i, formatTimestamp(nanos, 'ns', 'none'));
  }
  return { data: fixed(units), ...(special.size > 0 && { special }) };
}

/** Months, days and milliseconds, unsigned 32 bits each, to the interval's 16 bytes. */
function fromInterval({ words, count }: FixedCollector): Uint8Array {
  const bytes = new Uint8Array(count * 16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    sound(words[3 * i]! < 2 ** 31 && words[3 * i + 1]! < 2 ** 31, 'an interval has too many months or days');
    view.setUint32(i * 16, words[3 * i]!, true);
    view.setUint32(i * 16 + 4, words[3 * i + 1]!, true);
    view.setBigInt64(i * 16 + 8, BigInt(words[3 * i + 2]!) * 1_000_000n, true);
  }
  return bytes;
}

/** IEEE 754 half precision, widened. */
function fromFloat16({ bytes, count }: FixedCollector): Float32Array {
  const floats = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const half = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 31) floats[i] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else if (exponent === 0) floats[i] = sign * fraction * 2 ** -24;
    else floats[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return floats;
}

function decimals(
  leaf: ReadLeaf,
  { precision, scale }: LeafConversion & { how: 'decimal' },
  values: Collector,
): Converted {
  const width = decimalBytes(precision);
  if (width === 8 && leaf.physical === Physical.INT64)
    return { data: fixed(signedLongs(values as FixedCollector)) };
  const { count } = values;
  const read = decimalReader(leaf, values);
  if (width === 8) {
    const longs = new BigInt64Array(count);
    for (let i = 0; i < count; i++) {
      const value = read(i);
      longs[i] = value;
      sound(longs[i] === value, `a decimal passes its ${precision} digits`);
    }
    return { data: fixed(longs) };
  }
  if (width === 16) {
    const bytes = new Uint8Array(count * 16);
    for (let i = 0; i < count; i++) {
      const value = read(i);
      sound(BigInt.asIntN(128, value) === value, `a decimal passes its ${precision} digits`);
      writeInt128(bytes, i * 16, value);
    }
    return { data: { layout: 'bytes', width: 16, values: bytes } };
  }
  const texts = Array.from({ length: count }, (_, i) => formatDecimal(read(i), scale));
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + texts[i]!.length;
  return { data: { layout: 'varlen', offsets, data: Buffer.from(texts.join(''), 'latin1') } };
}

/** The unscaled integer of a value: of 32 or 64 bits, or big-endian two's complement of any length. */
function decimalReader(leaf: ReadLeaf, values: Collector): (i: number) => bigint {
  if (values instanceof BytesCollector) {
    const { data, offsets } = values;
    return (i) => bigEndian(data, offsets[i]!, offsets[i + 1]!);
  }
  if (!(values instanceof FixedCollector)) throw new TypeError('booleans are no decimals');
  if (leaf.physical === Physical.INT32) {
    const words = signedWords(values);
    return (i) => BigInt(words[i]!);
  }
  if (leaf.physical === Physical.INT64) {
    const longs = signedLongs(values);
    return (i) => longs[i]!;
  }
  const { bytes, stride } = values;
  return (i) => bigEndian(bytes, i * stride, (i + 1) * stride);
}

/** More bytes than the digits of any decimal that is read take. */
const MOST_DECIMAL_BYTES = 512;

function bigEndian(bytes: Uint8Array, from: number, to: number): bigint {
  if (from === to) return 0n;
  sound(to - from <= MOST_DECIMAL_BYTES, `a decimal has ${to - from} bytes`);
  let value = BigInt((bytes[from]! << 24) >> 24);
  let at = from + 1;
  for (; at + 4 <= to; at += 4) {
    const word = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    value = (value << 32n) | BigInt(word);
  }
  for (; at < to; at++) value = (value << 8n) | BigInt(bytes[at]!);
  return value;
}
