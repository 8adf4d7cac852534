/** Values of fixed width out of vectors. */
import type { Vector } from '@duckdb/node-bindings';
import { type Bitmap, bitmapBytes, type FixedArray, getBit, type Layout, setBit } from '@sluice/sdk';
import type { Bindings } from '../database/driver.js';
import { isSet, type Pick, type Values } from './read-values.js';
import { INFINITE_DAY } from './vector-write.js';

type Maker = {
  new (buffer: ArrayBuffer, offset: number, length: number): FixedArray;
  BYTES_PER_ELEMENT: number;
};

/** Looks for values that are no numbers among rows that were just appended. */
type FindSpecial = (
  values: FixedArray,
  from: number,
  to: number,
  found: (row: number, text: string) => void,
) => void;

/** Bytes of `width` a row, gathered as they are. */
class Bytes {
  buffer = new ArrayBuffer(0);
  private bytesView = new Uint8Array(this.buffer);
  /** What the batch before took: the next one begins with as much, rather than growing there again. */
  private expected = 0;
  constructor(
    private readonly bindings: Bindings,
    readonly width: number,
  ) {}

  /** Copies rows behind `length` rows; those without a value become zeros. */
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    const { width } = this;
    const count = pick?.length ?? size;
    this.reserve((length + count) * width);
    const from = this.bindings.vector_get_data(vector, size * width);
    const into = this.bytesView;
    if (pick === undefined) {
      into.set(from, length * width);
      if (valid === null) return;
      for (let i = 0; i < count; i++) {
        if (!getBit(valid, i)) into.fill(0, (length + i) * width, (length + i + 1) * width);
      }
      return;
    }
    for (let i = 0; i < count; i++) {
      const row = pick[i]!;
      if (!isSet(valid, row)) continue;
      for (let b = 0; b < width; b++) into[(length + i) * width + b] = from[row * width + b]!;
    }
  }

  view(rows: number): Uint8Array {
    return this.bytesView.subarray(0, rows * this.width);
  }

  /** The bytes of all rows, which are handed on: what comes next is gathered elsewhere. */
  take(rows: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.buffer, 0, rows * this.width);
    this.expected = taken.byteLength;
    this.buffer = new ArrayBuffer(0);
    this.bytesView = new Uint8Array(this.buffer);
    return taken;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.buffer.byteLength) return;
    this.buffer = new ArrayBuffer(Math.max(bytes, this.buffer.byteLength * 2, this.expected));
    const grown = new Uint8Array(this.buffer);
    grown.set(this.bytesView);
    this.bytesView = grown;
  }
}

export class Fixed implements Values {
  special = new Map<number, string>();
  private readonly held: Bytes;
  constructor(
    bindings: Bindings,
    private readonly array: Maker,
    private readonly find?: FindSpecial,
  ) {
    this.held = new Bytes(bindings, array.BYTES_PER_ELEMENT);
  }
  bytes(length: number): number {
    return length * this.held.width;
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    this.held.append(vector, size, pick, length, valid);
    if (this.find === undefined) return;
    const count = pick?.length ?? size;
    const values = new this.array(this.held.buffer, 0, length + count);
    this.find(values, length, length + count, (row, text) => {
      this.special.set(row, text);
    });
    for (const row of this.special.keys()) values[row] = typeof values[row] === 'bigint' ? 0n : 0;
  }
  finish(length: number): Layout {
    this.special = new Map();
    return { layout: 'fixed', values: new this.array(this.held.take(length).buffer, 0, length) };
  }
}

export const infiniteDays: FindSpecial = (values, from, to, found) => {
  for (let row = from; row < to; row++) {
    const day = values[row] as number;
    if (day === INFINITE_DAY) found(row, 'infinity');
    else if (day === -INFINITE_DAY) found(row, '-infinity');
  }
};

/** Compares halves, since reading the values would make a BigInt each. */
export const infiniteInstants: FindSpecial = (values, from, to, found) => {
  const halves = new Int32Array(values.buffer, values.byteOffset, to * 2);
  for (let row = from; row < to; row++) {
    const high = halves[row * 2 + 1]!;
    if (high === 0x7fff_ffff && halves[row * 2] === -1) found(row, 'infinity');
    else if (high === -0x8000_0000 && halves[row * 2] === 1) found(row, '-infinity');
  }
};

export class Bools implements Values {
  private readonly held: Bytes;
  constructor(bindings: Bindings) {
    this.held = new Bytes(bindings, 1);
  }
  bytes(length: number): number {
    return bitmapBytes(length);
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    this.held.append(vector, size, pick, length, valid);
  }
  finish(length: number): Layout {
    const values = new Uint8Array(bitmapBytes(length));
    const held = this.held.take(length);
    for (let i = 0; i < length; i++) if (held[i] !== 0) setBit(values, i);
    return { layout: 'bits', values };
  }
}

/** 16 bytes a row, with a last touch when the batch is complete. */
export class Sixteens implements Values {
  protected readonly held: Bytes;
  constructor(
    bindings: Bindings,
    private readonly touch?: (bytes: Uint8Array) => void,
  ) {
    this.held = new Bytes(bindings, 16);
  }
  bytes(length: number): number {
    return length * this.held.width;
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    this.held.append(vector, size, pick, length, valid);
  }
  finish(length: number): Layout {
    const values = this.held.take(length);
    this.touch?.(values);
    return { layout: 'bytes', width: 16, values };
  }
}

/** From a little-endian integer with its highest bit turned over to network order. Empty rows stay empty. */
export function turnUuid(bytes: Uint8Array): void {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  for (let at = 0; at < words.length; at += 4) {
    const [a, b, c, d] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    if ((a | b | c | d) === 0) continue;
    words[at] = swapBytes(d ^ 0x80000000);
    words[at + 1] = swapBytes(c);
    words[at + 2] = swapBytes(b);
    words[at + 3] = swapBytes(a);
  }
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** Microseconds become nanoseconds; those that no longer fit 64 bits stand as text. */
export class Intervals implements Values {
  special = new Map<number, string>();
  private readonly held: Bytes;
  constructor(bindings: Bindings) {
    this.held = new Bytes(bindings, 16);
  }
  bytes(length: number): number {
    return length * this.held.width;
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    this.held.append(vector, size, pick, length, valid);
    const end = length + (pick?.length ?? size);
    const view = new DataView(this.held.buffer, 0, end * 16);
    for (let row = length; row < end; row++) {
      const micros = view.getBigInt64(row * 16 + 8, true);
      const nanos = micros * 1000n;
      if (BigInt.asIntN(64, nanos) === nanos) {
        view.setBigInt64(row * 16 + 8, nanos, true);
        continue;
      }
      const [months, days] = [view.getInt32(row * 16, true), view.getInt32(row * 16 + 4, true)];
      this.special.set(row, `${months} months ${days} days ${micros} microseconds`);
      this.held.view(end).fill(0, row * 16, row * 16 + 16);
    }
  }
  finish(length: number): Layout {
    this.special = new Map();
    return { layout: 'bytes', width: 16, values: this.held.take(length) };
  }
}

/** Decimals of few digits, which lie in narrow integers and are widened to 64 bits. */
export class Narrow implements Values {
  private readonly held: Bytes;
  constructor(
    bindings: Bindings,
    private readonly array: typeof Int32Array | typeof Int16Array,
  ) {
    this.held = new Bytes(bindings, array.BYTES_PER_ELEMENT);
  }
  bytes(length: number): number {
    return length * 8;
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    this.held.append(vector, size, pick, length, valid);
  }
  finish(length: number): Layout {
    const narrow = new this.array(this.held.take(length).buffer, 0, length);
    const values = new BigInt64Array(length);
    const halves = new Int32Array(values.buffer);
    for (let i = 0; i < length; i++) {
      halves[i * 2] = narrow[i]!;
      halves[i * 2 + 1] = narrow[i]! >> 31;
    }
    return { layout: 'fixed', values };
  }
}
