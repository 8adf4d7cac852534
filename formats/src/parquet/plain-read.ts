/** PLAIN, BYTE_STREAM_SPLIT and RLE values: https://github.com/apache/parquet-format/blob/master/Encodings.md */
import type { BoolCollector, BytesCollector, FixedCollector } from './collect.js';
import { sound } from './damage.js';
import { HybridReader } from './rle-read.js';

/** Decodes the values of a page, so many at a time as the batch wants. */
export interface ValueDecoder<C> {
  read(count: number, into: C): void;
}

export class PlainFixed implements ValueDecoder<FixedCollector> {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {}
  read(count: number, into: FixedCollector): void {
    const size = count * into.stride;
    sound(this.at + size <= this.end, 'values pass the end of their page');
    const first = into.extend(count);
    into.bytes.set(this.bytes.subarray(this.at, this.at + size), first * into.stride);
    this.at += size;
  }
}

export class PlainBools implements ValueDecoder<BoolCollector> {
  private bit = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
    private readonly end: number,
  ) {}
  read(count: number, into: BoolCollector): void {
    sound(this.at + ((this.bit + count + 7) >> 3) <= this.end, 'values pass the end of their page');
    let to = into.extend(count);
    for (let i = 0; i < count; i++, this.bit++) {
      into.bools[to++] = (this.bytes[this.at + (this.bit >> 3)]! >> (this.bit & 7)) & 1;
    }
  }
}

/** Booleans in runs, with the length of all in front. */
export class RunBools implements ValueDecoder<BoolCollector> {
  private readonly runs: HybridReader;
  constructor(bytes: Uint8Array, at: number, end: number) {
    sound(at + 4 <= end, 'values pass the end of their page');
    const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
    sound(at + 4 + size <= end, 'values pass the end of their page');
    this.runs = new HybridReader(bytes, at + 4, at + 4 + size, 1);
  }
  read(count: number, into: BoolCollector): void {
    const at = into.extend(count);
    this.runs.read(into.bools, at, count);
  }
}

/** Byte k of every value lies in the k-th of `stride` streams. */
export class SplitFixed implements ValueDecoder<FixedCollector> {
  private done = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
    private readonly end: number,
  ) {}
  read(count: number, into: FixedCollector): void {
    const { stride } = into;
    const length = Math.floor((this.end - this.at) / stride);
    sound(this.done + count <= length, 'values pass the end of their page');
    const first = into.extend(count) * stride;
    for (let k = 0; k < stride; k++) {
      let from = this.at + k * length + this.done;
      for (let to = first + k, i = 0; i < count; i++, to += stride) into.bytes[to] = this.bytes[from++]!;
    }
    this.done += count;
  }
}

/** Values with their length in front. */
export class PlainBytes implements ValueDecoder<BytesCollector> {
  private readonly view: DataView;
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Lengths first, which proves that they stay within the page; then the bytes are copied without a check. */
  read(count: number, into: BytesCollector): void {
    const { view, end } = this;
    let at = this.at;
    for (let i = 0; i < count; i++) {
      sound(at + 4 <= end, 'values pass the end of their page');
      at += 4 + view.getUint32(at, true);
    }
    sound(at <= end, 'values pass the end of their page');
    into.reserve(count, at - this.at - count * 4);
    const { offsets } = into;
    let put = into.end;
    at = this.at;
    for (let i = into.count + 1, last = into.count + count; i <= last; i++) {
      const length = view.getUint32(at, true);
      copyBytes(this.bytes, view, at + 4, into.data, into.view, put, length);
      at += 4 + length;
      put += length;
      offsets[i] = put;
    }
    into.count += count;
    this.at = at;
  }
}

/** Above this length a native copy is faster, in spite of the view that it needs. */
const LONG = 80;

/**
 * Copies a value, which is mostly short: four bytes at a time, of which the last may run over into the slack that
 * a collector keeps. A native copy of so few bytes takes several times as long.
 */
export function copyBytes(
  from: Uint8Array,
  fromView: DataView,
  at: number,
  to: Uint8Array,
  toView: DataView,
  put: number,
  length: number,
): void {
  if (length > LONG) {
    to.set(from.subarray(at, at + length), put);
  } else if (at + length + 3 < fromView.byteLength) {
    for (const end = at + length; at < end; at += 4, put += 4)
      toView.setInt32(put, fromView.getInt32(at, true), true);
  } else {
    for (const end = at + length; at < end; ) to[put++] = from[at++]!;
  }
}
