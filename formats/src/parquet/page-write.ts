/**
 * The page that a column chunk is filling: levels beside a buffer of values. Pages are of version 1, which every
 * reader has; version 2 would save decoding levels that nobody asks for, at the price of readers that lack it.
 */
import { type Dense, plainSize } from './dense.js';
import type { Dictionary } from './dictionary.js';
import { bitWidth, Encoding } from './format.js';
import { LevelBuffer } from './levels.js';
import { PLAIN_SLACK, writePlain } from './plain-write.js';
import { hybridBound, writeHybrid } from './rle-write.js';
import type { Leaf } from './schema-write.js';
import type { LeafEntries } from './shred.js';

/** Entries at which a page is closed, however few bytes they take. */
export const PAGE_ENTRIES = 1 << 17;
/** Room in front of the values for page header and levels, so that a page is one piece of memory without a copy. */
const HEAD = 48 * 1024;
/** Of this, what a page header needs at most. */
export const HEADER_ROOM = 128;

/** Hands out page buffers of the usual size again once their bytes have been compressed. */
export class PagePool {
  private readonly free: Uint8Array[] = [];
  private readonly usual: number;
  private readonly mostFree: number;

  /** @param pageBytes uncompressed size at which a page is closed */
  constructor(readonly pageBytes: number) {
    this.usual = HEAD + pageBytes + PLAIN_SLACK;
    this.mostFree = Math.max(32, Math.floor((64 << 20) / this.usual));
  }

  take(bytes: number): Uint8Array {
    if (bytes > this.pageBytes) return Buffer.allocUnsafeSlow(HEAD + bytes + PLAIN_SLACK);
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.usual);
  }
  give(buffer: Uint8Array): void {
    if (buffer.byteLength === this.usual && this.free.length < this.mostFree) this.free.push(buffer);
  }
}

/** A finished page before compression. */
export interface PageBody {
  readonly values: number;
  readonly encoding: number;
  /** Levels and values, at `start` of `buffer`, with {@link HEADER_ROOM} in front. */
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class PageWriter {
  private readonly def: LevelBuffer;
  private readonly rep: LevelBuffer;
  private buffer: Uint8Array | undefined;
  private end = HEAD;
  private bit = 0;
  private indices: Uint32Array | undefined;
  private valueCount = 0;

  constructor(
    leaf: Leaf,
    private readonly pool: PagePool,
  ) {
    this.def = new LevelBuffer(leaf.maxDef);
    this.rep = new LevelBuffer(leaf.maxRep);
  }

  get entries(): number {
    return this.def.length;
  }

  /** Bytes of the values so far, in PLAIN encoding. */
  get bytes(): number {
    return this.end - HEAD;
  }

  appendPlain({ count, def, rep, values }: LeafEntries): void {
    this.levels(count, def, rep);
    const buffer = this.reserve(plainSize(values) + 1);
    this.end = writePlain(values, buffer, this.end, this.bit);
    if (values.kind === 'bools') this.bit = (this.bit + values.count) & 7;
    this.valueCount += values.count;
  }

  appendIndices({ count, def, rep, values }: LeafEntries, dictionary: Dictionary): void {
    this.levels(count, def, rep);
    const needed = this.valueCount + values.count;
    if (this.indices === undefined || this.indices.length < needed) {
      const grown = new Uint32Array(Math.max(needed, PAGE_ENTRIES));
      if (this.indices !== undefined) grown.set(this.indices.subarray(0, this.valueCount));
      this.indices = grown;
    }
    dictionary.add(values, this.indices, this.valueCount);
    this.valueCount = needed;
  }

  /** Closes a page of PLAIN values and begins another. */
  finishPlain(): PageBody {
    return this.finish(Encoding.PLAIN);
  }

  /** Closes a page of indices into a dictionary of `size` values, and begins another. */
  finishIndices(size: number): PageBody {
    const width = bitWidth(Math.max(0, size - 1));
    const buffer = this.reserve(1 + hybridBound(this.valueCount, width));
    buffer[this.end++] = width;
    const indices = this.indices ?? new Uint32Array(0);
    this.end = writeHybrid(indices, this.valueCount, width, buffer, this.end);
    return this.finish(Encoding.RLE_DICTIONARY);
  }

  private finish(encoding: number): PageBody {
    const values = this.entries;
    let buffer = this.reserve(0);
    let end = this.bit > 0 ? this.end + 1 : this.end;
    const levels = new Uint8Array(this.rep.bound() + this.def.bound());
    const size = this.def.write(levels, this.rep.write(levels, 0));
    let start = HEAD - size;
    if (start < HEADER_ROOM) {
      const wider = Buffer.allocUnsafeSlow(HEADER_ROOM + size + end - HEAD);
      wider.set(buffer.subarray(HEAD, end), HEADER_ROOM + size);
      this.pool.give(buffer);
      buffer = wider;
      start = HEADER_ROOM;
      end = wider.byteLength;
    }
    buffer.set(levels.subarray(0, size), start);
    this.def.clear();
    this.rep.clear();
    this.buffer = undefined;
    this.end = HEAD;
    this.bit = 0;
    this.valueCount = 0;
    return { values, encoding, buffer, start, end };
  }

  private levels(count: number, def: LeafEntries['def'], rep: LeafEntries['rep']): void {
    this.rep.append(rep, count);
    this.def.append(def, count);
  }

  /** A buffer with room for more bytes behind what it holds. */
  private reserve(bytes: number): Uint8Array {
    const held = this.buffer;
    if (held !== undefined && this.end + bytes + PLAIN_SLACK <= held.byteLength) return held;
    const used = this.end - HEAD;
    const larger = this.pool.take(held === undefined ? bytes : Math.max(used + bytes, 2 * used));
    if (held !== undefined) {
      // One byte more than is used: the last may hold the first bits of a byte of booleans.
      larger.set(held.subarray(HEAD, this.end + 1), HEAD);
      this.pool.give(held);
    }
    this.buffer = larger;
    return larger;
  }
}

/** The dictionary itself as a page. */
export function dictionaryPage(values: Dense): PageBody {
  const buffer = Buffer.allocUnsafeSlow(HEADER_ROOM + plainSize(values) + PLAIN_SLACK);
  const end = writePlain(values, buffer, HEADER_ROOM, 0);
  return { values: values.count, encoding: Encoding.PLAIN, buffer, start: HEADER_ROOM, end };
}
