/**
 * Minimum and maximum of a column chunk, in the order that the format defines for its type
 * (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, ColumnOrder).
 *
 * 64-bit values are compared as two words and byte strings by their first four bytes as one number; only where
 * those tie are the rest looked at. That keeps statistics to a few nanoseconds a value.
 */
import { type Dense, swapBytes } from './dense.js';
import type { Statistics } from './format.js';
import type { LeafOrder } from './schema-write.js';

/** Longer bounds are cut: a reader prunes by the first bytes, and the footer is read whole. */
const BOUND_BYTES = 64;

export class ChunkStatistics {
  nulls = 0;
  private min: Uint8Array | undefined;
  private max: Uint8Array | undefined;

  constructor(private readonly order: LeafOrder) {}

  /** Takes values in. */
  add(values: Dense): void {
    if (values.count === 0 || this.order === 'none') return;
    switch (values.kind) {
      case 'bools':
        return this.addBools(values.bools);
      case 'varlen':
        return this.addVarlen(values);
      case 'words':
        return this.addWords(values);
    }
  }

  finish(): Statistics {
    const { min, max } = this;
    if (min === undefined || max === undefined) return { nullCount: this.nulls };
    const text = this.order === 'text';
    if (!text && this.order !== 'bytes') return { nullCount: this.nulls, min, max };
    const low = min.byteLength <= BOUND_BYTES ? min : min.subarray(0, cutPoint(min, text));
    const high = max.byteLength <= BOUND_BYTES ? max : raised(max.subarray(0, cutPoint(max, text)), text);
    return {
      nullCount: this.nulls,
      min: low,
      minExact: low === min,
      ...(high && { max: high, maxExact: high === max }),
    };
  }

  private addBools(bools: Uint8Array): void {
    let any = 0;
    let all = 1;
    for (let i = 0; i < bools.length; i++) {
      any |= bools[i]!;
      all &= bools[i]!;
    }
    this.merge(Uint8Array.of(all), Uint8Array.of(any), (a, b) => a[0]! - b[0]!);
  }

  private addVarlen({ offsets, data, count }: Dense & { kind: 'varlen' }): void {
    const [low, high] = extremeStrings(offsets, data, count);
    const value = (i: number) => data.subarray(offsets[i]!, offsets[i + 1]!);
    this.merge(value(low), value(high), compareBytes);
  }

  private addWords({ words, width, count }: Dense & { kind: 'words' }): void {
    const bytes = (i: number) => new Uint8Array(words.buffer, words.byteOffset + i * width * 4, width * 4);
    if (this.order === 'float') {
      const compare = width === 1 ? compareFloat32 : compareFloat64;
      const values =
        width === 1
          ? new Float32Array(words.buffer, words.byteOffset, count)
          : new Float64Array(aligned(words).buffer, aligned(words).byteOffset, count);
      const [low, high] = extremeFloats(values);
      if (low >= 0) this.merge(zeroAs(bytes(low), true), zeroAs(bytes(high), false), compare);
    } else if (width === 4) {
      const signed = this.order === 'signed-bytes';
      const [low, high] = extremeBytes16(words, count, signed);
      this.merge(bytes(low), bytes(high), signed ? compareSignedBytes : compareBytes);
    } else {
      const signed = this.order === 'int';
      const [low, high] = width === 1 ? extreme32(words, count, signed) : extreme64(words, count, signed);
      this.merge(bytes(low), bytes(high), signed ? compareInt : compareUint);
    }
  }

  private merge(low: Uint8Array, high: Uint8Array, compare: (a: Uint8Array, b: Uint8Array) => number): void {
    if (this.min === undefined || compare(low, this.min) < 0) this.min = low.slice();
    if (this.max === undefined || compare(high, this.max) > 0) this.max = high.slice();
  }
}

/** Float64 views need a multiple of eight, which words of a dictionary may not have. */
function aligned(words: Uint32Array): Uint32Array {
  return words.byteOffset % 8 === 0 ? words : words.slice();
}

/** Indices of the smallest and the largest value. */
type Extremes = [low: number, high: number];

function extreme32(words: Uint32Array, count: number, signed: boolean): Extremes {
  const flip = signed ? 0x80000000 : 0;
  let low = 0;
  let high = 0;
  let min = (words[0]! ^ flip) >>> 0;
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = (words[i]! ^ flip) >>> 0;
    if (value < min) {
      min = value;
      low = i;
    } else if (value > max) {
      max = value;
      high = i;
    }
  }
  return [low, high];
}

function extreme64(words: Uint32Array, count: number, signed: boolean): Extremes {
  const flip = signed ? 0x80000000 : 0;
  let low = 0;
  let high = 0;
  let minHigh = (words[1]! ^ flip) >>> 0;
  let maxHigh = minHigh;
  for (let i = 1; i < count; i++) {
    const top = (words[2 * i + 1]! ^ flip) >>> 0;
    if (top < minHigh || (top === minHigh && words[2 * i]! < words[2 * low]!)) {
      minHigh = top;
      low = i;
    }
    if (top > maxHigh || (top === maxHigh && words[2 * i]! > words[2 * high]!)) {
      maxHigh = top;
      high = i;
    }
  }
  return [low, high];
}

/** By the first four bytes; equal ones by the rest. `signed`: the first byte carries a sign. */
function extremeBytes16(words: Uint32Array, count: number, signed: boolean): Extremes {
  const flip = signed ? 0x80000000 : 0;
  const top = (i: number) => (swapBytes(words[4 * i]!) ^ flip) >>> 0;
  let low = 0;
  let high = 0;
  let min = top(0);
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = top(i);
    if (value > min && value < max) continue;
    if (value < min || (value === min && compareRest(words, i, low) < 0)) {
      min = value;
      low = i;
    }
    if (value > max || (value === max && compareRest(words, i, high) > 0)) {
      max = value;
      high = i;
    }
  }
  return [low, high];
}

function compareRest(words: Uint32Array, a: number, b: number): number {
  for (let w = 1; w < 4; w++) {
    const difference = (swapBytes(words[4 * a + w]!) >>> 0) - (swapBytes(words[4 * b + w]!) >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** NaN is left out, as the format says; −1 when there is nothing else. */
function extremeFloats(values: Float32Array | Float64Array): Extremes {
  let low = -1;
  let high = -1;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value <= min) {
      min = value;
      low = i;
    }
    if (value >= max) {
      max = value;
      high = i;
    }
  }
  return [low, high];
}

/** A bound of zero is written as −0 below and +0 above, since readers may order the two. */
function zeroAs(value: Uint8Array, negative: boolean): Uint8Array {
  const bound = value.slice();
  const last = bound.length - 1;
  const magnitude = bound.some((byte, i) => (i === last ? byte & 0x7f : byte) !== 0);
  if (!magnitude) bound[last] = negative ? 0x80 : 0;
  return bound;
}

function extremeStrings(offsets: Int32Array, data: Uint8Array, count: number): Extremes {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let low = 0;
  let high = 0;
  let min = prefixAt(view, offsets[0]!, offsets[1]!);
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = prefixAt(view, offsets[i]!, offsets[i + 1]!);
    if (value > min && value < max) continue;
    if (value < min || (value === min && compareAt(offsets, data, i, low) < 0)) {
      min = value;
      low = i;
    }
    if (value > max || (value === max && compareAt(offsets, data, i, high) > 0)) {
      max = value;
      high = i;
    }
  }
  return [low, high];
}

/** The first four bytes of a value as a number that orders like them; shorter values are filled with zeros. */
function prefixAt(view: DataView, from: number, to: number): number {
  if (to - from >= 4) return view.getUint32(from);
  let prefix = 0;
  for (let i = from; i < from + 4; i++) prefix = prefix * 256 + (i < to ? view.getUint8(i) : 0);
  return prefix;
}

function compareAt(offsets: Int32Array, data: Uint8Array, a: number, b: number): number {
  let i = offsets[a]!;
  let j = offsets[b]!;
  const endI = offsets[a + 1]!;
  const endJ = offsets[b + 1]!;
  for (; i < endI && j < endJ; i++, j++) {
    if (data[i] !== data[j]) return data[i]! - data[j]!;
  }
  return endI - i - (endJ - j);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
function compareSignedBytes(a: Uint8Array, b: Uint8Array): number {
  const sign = (b[0]! >> 7) - (a[0]! >> 7);
  return sign !== 0 ? sign : Buffer.compare(a, b);
}
function compareUint(a: Uint8Array, b: Uint8Array): number {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
function compareInt(a: Uint8Array, b: Uint8Array): number {
  const sign = (b.at(-1)! >> 7) - (a.at(-1)! >> 7);
  return sign !== 0 ? sign : compareUint(a, b);
}
function compareFloat32(a: Uint8Array, b: Uint8Array): number {
  return Buffer.from(a).readFloatLE() - Buffer.from(b).readFloatLE();
}
function compareFloat64(a: Uint8Array, b: Uint8Array): number {
  return Buffer.from(a).readDoubleLE() - Buffer.from(b).readDoubleLE();
}

/** Where to cut a bound: for text not inside a character. */
function cutPoint(value: Uint8Array, text: boolean): number {
  let end = BOUND_BYTES;
  while (text && end > 0 && (value[end]! & 0xc0) === 0x80) end--;
  return end;
}

/** The least simple value above all that begin with `cut`: its last byte that can be raised, raised. */
function raised(cut: Uint8Array, text: boolean): Uint8Array | undefined {
  const most = text ? 0x7e : 0xfe;
  for (let i = cut.length - 1; i >= 0; i--) {
    // In text only an ASCII byte can be raised and leave valid UTF-8.
    if (cut[i]! > most) continue;
    const bound = cut.slice(0, i + 1);
    bound[i] = bound[i]! + 1;
    return bound;
  }
  return undefined;
}
