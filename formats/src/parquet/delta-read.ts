/**
 * DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY:
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#delta-encoding-delta_binary_packed--5
 */
import type { BytesCollector, FixedCollector } from './collect.js';
import { sound, within } from './damage.js';
import { copyBytes, type ValueDecoder } from './plain-read.js';

/** Values of one page whose lengths are decoded at once. */
const MOST_LENGTHS = 1 << 24;

/**
 * Integers as differences in blocks of miniblocks. All sums are of 64 bits in two words, which wrap as the format
 * wants; 32-bit columns keep the low one.
 */
export class DeltaNumbers {
  readonly total: number;
  private readonly view: DataView;
  private readonly perMiniblock: number;
  private readonly miniblocks: number;
  private left: number;
  private first = true;
  private low: number;
  private high: number;
  private minLow = 0;
  private minHigh = 0;
  /** Of the current block: where its bit widths lie, and which miniblock is next. */
  private widths = 0;
  private mini: number;
  /** Of the current miniblock: width, first bit, and values that are left. */
  private width = 0;
  private bit = 0;
  private inMini = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const blockSize = Number(this.varint());
    this.miniblocks = Number(this.varint());
    this.total = Number(this.varint());
    const start = this.zigzag();
    const { miniblocks } = this;
    const fits =
      miniblocks > 0 && miniblocks <= blockSize && blockSize <= 1 << 20 && blockSize % miniblocks === 0;
    sound(fits && (blockSize / miniblocks) % 8 === 0, 'a delta header has no sound block size');
    this.perMiniblock = blockSize / miniblocks;
    this.mini = miniblocks;
    this.left = this.total;
    this.low = Number(BigInt.asIntN(32, start));
    this.high = Number(BigInt.asIntN(32, start >> 32n));
  }

  /** The byte behind the last value; to be asked after all were read. */
  get position(): number {
    return this.at;
  }

  /** Reads numbers as words: one each, or two when `wide`. */
  read(out: Uint32Array | Int32Array, to: number, count: number, wide: boolean): void {
    sound(count <= this.left, 'a page holds fewer values than it says');
    this.left -= count;
    for (let i = 0; i < count; i++) {
      if (this.first) this.first = false;
      else this.advance();
      out[to++] = this.low;
      if (wide) out[to++] = this.high;
    }
  }

  private advance(): void {
    if (this.inMini === 0) this.nextMiniblock();
    this.inMini--;
    const { width } = this;
    let low = 0;
    let high = 0;
    if (width > 0) {
      sound(this.bit + width <= this.end * 8, 'a block passes the end of its page');
      low = this.word(this.bit, Math.min(32, width));
      if (width > 32) high = this.word(this.bit + 32, width - 32);
      this.bit += width;
    }
    this.add(low, high);
    this.add(this.minLow, this.minHigh);
  }

  private add(low: number, high: number): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
    this.low = sum | 0;
  }

  /** Up to 32 bits from any bit on. */
  private word(bit: number, width: number): number {
    let at = bit >>> 3;
    const used = bit & 7;
    let value = this.bytes[at]! >>> used;
    for (let got = 8 - used; got < width; got += 8) value |= (this.bytes[++at] ?? 0) << got;
    return width === 32 ? value : value & ((1 << width) - 1);
  }

  private nextMiniblock(): void {
    if (this.mini === this.miniblocks) {
      const min = this.zigzag();
      this.minLow = Number(BigInt.asIntN(32, min));
      this.minHigh = Number(BigInt.asIntN(32, min >> 32n));
      this.widths = this.at;
      this.at += this.miniblocks;
      sound(this.at <= this.end, 'a block passes the end of its page');
      this.mini = 0;
    }
    this.width = this.bytes[this.widths + this.mini++]!;
    sound(this.width <= 64, `a delta of ${this.width} bits is too wide`);
    this.inMini = this.perMiniblock;
    this.bit = this.at * 8;
    // The last miniblock is filled up; where a writer did not, the page ends with it.
    this.at = Math.min(this.end, this.at + (this.perMiniblock * this.width) / 8);
  }

  private zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }
  private varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      sound(this.at < this.end && shift < 70n, 'a number has no sound length');
      const byte = this.view.getUint8(this.at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }
}

export class DeltaFixed implements ValueDecoder<FixedCollector> {
  private readonly numbers: DeltaNumbers;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.numbers = new DeltaNumbers(bytes, at, end);
  }
  read(count: number, into: FixedCollector): void {
    const wide = into.stride === 8;
    const at = into.extend(count);
    this.numbers.read(into.words, wide ? at * 2 : at, count, wide);
  }
}

/** All lengths of a delta-encoded run of lengths, and where it ends. */
function readLengths(bytes: Uint8Array, at: number, end: number): { lengths: Int32Array; position: number } {
  const numbers = new DeltaNumbers(bytes, at, end);
  within(numbers.total, MOST_LENGTHS, 'a page has too many values');
  const lengths = new Int32Array(numbers.total);
  numbers.read(lengths, 0, numbers.total, false);
  for (let i = 0; i < lengths.length; i++) sound(lengths[i]! >= 0, `a length is negative (${lengths[i]})`);
  return { lengths, position: numbers.position };
}

/** The lengths of all values, then their bytes. */
export class DeltaLengthBytes implements ValueDecoder<BytesCollector> {
  private readonly lengths: Int32Array;
  private at: number;
  private done = 0;
  constructor(
    private readonly bytes: Uint8Array,
    at: number,
    private readonly end: number,
  ) {
    const { lengths, position } = readLengths(bytes, at, end);
    this.lengths = lengths;
    this.at = position;
  }
  read(count: number, into: BytesCollector): void {
    sound(this.done + count <= this.lengths.length, 'a page holds fewer values than it says');
    let size = 0;
    for (let i = this.done; i < this.done + count; i++) size += this.lengths[i]!;
    sound(this.at + size <= this.end, 'values pass the end of their page');
    into.reserve(count, size);
    let put = into.end;
    into.data.set(this.bytes.subarray(this.at, this.at + size), put);
    for (let i = 0; i < count; i++) {
      put += this.lengths[this.done++]!;
      into.offsets[++into.count] = put;
    }
    this.at += size;
  }
}

/** How much of the value before is repeated, then the rest as in DELTA_LENGTH_BYTE_ARRAY. */
class DeltaPrefixes {
  private readonly prefixes: Int32Array;
  private readonly suffixes: Int32Array;
  private readonly view: DataView;
  private at: number;
  private done = 0;
  private value = Buffer.alloc(256);
  private valueView = new DataView(this.value.buffer, this.value.byteOffset, this.value.byteLength);
  private length = 0;

  constructor(
    private readonly bytes: Uint8Array,
    at: number,
    private readonly end: number,
  ) {
    const prefixes = readLengths(bytes, at, end);
    const suffixes = readLengths(bytes, prefixes.position, end);
    sound(
      prefixes.lengths.length === suffixes.lengths.length,
      'a page has prefixes and suffixes of different number',
    );
    this.prefixes = prefixes.lengths;
    this.suffixes = suffixes.lengths;
    this.at = suffixes.position;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next value, valid until the one after. */
  next(): { value: Uint8Array; view: DataView; length: number } {
    sound(this.done < this.prefixes.length, 'a page holds fewer values than it says');
    const prefix = this.prefixes[this.done]!;
    const suffix = this.suffixes[this.done++]!;
    sound(prefix <= this.length, 'a value repeats more than the one before has');
    sound(this.at + suffix <= this.end, 'values pass the end of their page');
    const length = prefix + suffix;
    if (length + 8 > this.value.byteLength) {
      const grown = Buffer.alloc((length + 8) * 2);
      grown.set(this.value.subarray(0, prefix));
      this.value = grown;
      this.valueView = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
    }
    copyBytes(this.bytes, this.view, this.at, this.value, this.valueView, prefix, suffix);
    this.at += suffix;
    this.length = length;
    return { value: this.value, view: this.valueView, length };
  }
}

export class DeltaBytes implements ValueDecoder<BytesCollector> {
  private readonly prefixes: DeltaPrefixes;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.prefixes = new DeltaPrefixes(bytes, at, end);
  }
  read(count: number, into: BytesCollector): void {
    for (let i = 0; i < count; i++) {
      const { value, view, length } = this.prefixes.next();
      into.reserve(1, length);
      const put = into.end;
      copyBytes(value, view, 0, into.data, into.view, put, length);
      into.offsets[++into.count] = put + length;
    }
  }
}

export class DeltaFixedBytes implements ValueDecoder<FixedCollector> {
  private readonly prefixes: DeltaPrefixes;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.prefixes = new DeltaPrefixes(bytes, at, end);
  }
  read(count: number, into: FixedCollector): void {
    const { stride } = into;
    for (let i = 0; i < count; i++) {
      const { value, length } = this.prefixes.next();
      sound(length === stride, `a value of ${stride} bytes has ${length}`);
      into.bytes.set(value.subarray(0, stride), into.extend(1) * stride);
    }
  }
}
