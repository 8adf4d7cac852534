/**
 * What the decoders of a leaf write into: the values of one batch without the nulls, contiguous, in the form in
 * which they are stored. With no nulls and no conversion this memory becomes the column as it is.
 */
import { within } from './damage.js';

/** Bytes of one column in one batch. */
const MOST_BYTES = 1 << 30;

/** Values of `stride` bytes each. */
export class FixedCollector {
  count = 0;
  bytes: Uint8Array;
  /** The same memory, for strides of whole words. */
  words: Uint32Array;

  constructor(
    readonly stride: number,
    capacity: number,
  ) {
    const buffer = new ArrayBuffer(padded(stride * capacity));
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  /** Makes room for more values; returns the index of the first. The caller writes all of them. */
  extend(values: number): number {
    const at = this.count;
    this.count += values;
    const needed = this.count * this.stride;
    if (needed > this.bytes.byteLength) {
      within(needed, MOST_BYTES, 'a batch of a column is too large; read fewer rows at a time');
      const buffer = new ArrayBuffer(padded(Math.max(needed, this.bytes.byteLength * 2)));
      new Uint8Array(buffer).set(this.bytes.subarray(0, at * this.stride));
      this.bytes = new Uint8Array(buffer);
      this.words = new Uint32Array(buffer);
    }
    return at;
  }
}

/** Typed arrays of eight bytes a value want whole ones. */
function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Booleans, one byte each. */
export class BoolCollector {
  count = 0;
  bools: Uint8Array;
  constructor(capacity: number) {
    this.bools = new Uint8Array(capacity);
  }
  extend(values: number): number {
    const at = this.count;
    this.count += values;
    if (this.count > this.bools.length) {
      within(this.count, MOST_BYTES, 'a batch of a column is too large; read fewer rows at a time');
      const grown = new Uint8Array(Math.max(this.count, this.bools.length * 2));
      grown.set(this.bools.subarray(0, at));
      this.bools = grown;
    }
    return at;
  }
}

/** Bytes that a decoder may write beyond the end of what it has reserved. */
export const COPY_SLACK = 8;

/** Values of any length. */
export class BytesCollector {
  count = 0;
  offsets: Int32Array;
  data: Uint8Array = Buffer.allocUnsafeSlow(1024);
  view = new DataView(this.data.buffer, this.data.byteOffset, this.data.byteLength);

  constructor(capacity: number) {
    this.offsets = new Int32Array(capacity + 1);
  }
  /** Bytes so far. */
  get end(): number {
    return this.offsets[this.count]!;
  }
  /** Makes room for more values of so many bytes together. The caller writes offsets and data, then counts them. */
  reserve(values: number, bytes: number): void {
    if (this.count + values + 1 > this.offsets.length) {
      within(
        this.count + values,
        MOST_BYTES >> 2,
        'a batch of a column is too large; read fewer rows at a time',
      );
      const grown = new Int32Array(Math.max(this.count + values + 1, this.offsets.length * 2));
      grown.set(this.offsets.subarray(0, this.count + 1));
      this.offsets = grown;
    }
    const { end } = this;
    const needed = end + bytes + COPY_SLACK;
    if (needed <= this.data.byteLength) return;
    within(needed, MOST_BYTES, 'a batch of a column is too large; read fewer rows at a time');
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(MOST_BYTES, this.data.byteLength * 2)));
    grown.set(this.data.subarray(0, end));
    this.data = grown;
    this.view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
  }
}

export type Collector = FixedCollector | BoolCollector | BytesCollector;
