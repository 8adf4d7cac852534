/**
 * The dictionary of a column chunk: distinct values, found by open addressing on hashes of 32-bit words or of
 * byte strings. Nothing is allocated per value.
 */
import { type Dense, sliceDense } from './dense.js';

/** Beyond these a dictionary no longer pays: indices grow, and readers keep it in memory for the whole chunk. */
const MOST_ENTRIES = 32_768;
const MOST_BYTES = 1 << 20;
/** Values by which a column's repetition is judged. */
const PROBE = 2_048;

/** Whether values repeat enough for a dictionary, judged by the first of them. Few values always try. */
export function repeats(values: Dense): boolean {
  const probe = values.count > PROBE ? sliceDense(values, 0, PROBE) : values;
  if (probe.kind !== 'words' && probe.kind !== 'varlen') return false;
  if (probe.count < 256) return true;
  const dictionary = new Dictionary(probe.kind === 'words' ? probe.width : 0);
  dictionary.add(probe, new Uint32Array(probe.count), 0);
  return dictionary.size * 2 <= probe.count;
}

export class Dictionary {
  /** Distinct values. */
  size = 0;
  private values = 0;
  /** Of the values added last, most were not there before: the column has changed its nature. */
  private mostlyNew = false;
  /** Slots of the hash table hold index + 1; 0 is free. */
  private table = new Int32Array(1024);
  private hashes = new Int32Array(512);
  private words: Uint32Array;
  private offsets = new Int32Array(513);
  private data = Buffer.allocUnsafe(4096);

  /** For values of `width` words, or of any length when it is 0. */
  constructor(private readonly width: number) {
    this.words = new Uint32Array(512 * width);
  }

  /** Whether more values should no longer be added. */
  get exhausted(): boolean {
    if (this.size > MOST_ENTRIES || this.offsets[this.size]! > MOST_BYTES) return true;
    return this.mostlyNew || (this.values >= 1024 && this.size * 2 > this.values);
  }

  /** The distinct values in the order of their indices. */
  dense(): Dense {
    const { size: count, width } = this;
    if (width > 0) return { kind: 'words', count, width, words: this.words.subarray(0, count * width) };
    return { kind: 'varlen', count, offsets: this.offsets.subarray(0, count + 1), data: this.data };
  }

  /** Writes the index of every value to `indices` from `at` on. */
  add(values: Dense, indices: Uint32Array, at: number): void {
    const { size } = this;
    this.values += values.count;
    if (values.kind === 'varlen') this.addStrings(values.offsets, values.data, values.count, indices, at);
    else if (values.kind === 'words' && values.width === 1) this.addWords(values.words, indices, at);
    else if (values.kind === 'words') this.addWide(values.words, values.width, values.count, indices, at);
    this.mostlyNew = values.count >= 256 && (this.size - size) * 4 > values.count * 3;
  }

  private addWords(words: Uint32Array, indices: Uint32Array, at: number): void {
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const hash = mix(word | 0);
      let slot = hash & (this.table.length - 1);
      let entry = this.table[slot]!;
      while (entry !== 0 && this.words[entry - 1] !== word) {
        slot = (slot + 1) & (this.table.length - 1);
        entry = this.table[slot]!;
      }
      if (entry === 0) {
        entry = this.insert(hash, slot);
        this.words[entry - 1] = word;
      }
      indices[at + i] = entry - 1;
    }
  }

  private addWide(words: Uint32Array, width: number, count: number, indices: Uint32Array, at: number): void {
    for (let i = 0; i < count; i++) {
      const from = i * width;
      let hash = 0;
      for (let w = 0; w < width; w++) hash = mix(hash ^ words[from + w]!);
      let slot = hash & (this.table.length - 1);
      let entry = this.table[slot]!;
      while (entry !== 0 && !this.hasWords((entry - 1) * width, words, from)) {
        slot = (slot + 1) & (this.table.length - 1);
        entry = this.table[slot]!;
      }
      if (entry === 0) {
        entry = this.insert(hash, slot);
        for (let w = 0; w < width; w++) this.words[(entry - 1) * width + w] = words[from + w]!;
      }
      indices[at + i] = entry - 1;
    }
  }

  private hasWords(own: number, words: Uint32Array, from: number): boolean {
    for (let w = 0; w < this.width; w++) if (this.words[own + w] !== words[from + w]) return false;
    return true;
  }

  private addStrings(
    offsets: Int32Array,
    data: Uint8Array,
    count: number,
    indices: Uint32Array,
    at: number,
  ): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let i = 0; i < count; i++) {
      const from = offsets[i]!;
      const to = offsets[i + 1]!;
      const hash = hashBytes(view, from, to);
      let slot = hash & (this.table.length - 1);
      let entry = this.table[slot]!;
      while (entry !== 0 && !(this.hashes[entry - 1] === hash && this.hasBytes(entry - 1, data, from, to))) {
        slot = (slot + 1) & (this.table.length - 1);
        entry = this.table[slot]!;
      }
      if (entry === 0) {
        entry = this.insert(hash, slot);
        this.keepBytes(data, from, to);
      }
      indices[at + i] = entry - 1;
    }
  }

  private hasBytes(index: number, data: Uint8Array, from: number, to: number): boolean {
    let own = this.offsets[index]!;
    if (this.offsets[index + 1]! - own !== to - from) return false;
    for (let i = from; i < to; i++) if (this.data[own++] !== data[i]) return false;
    return true;
  }

  private keepBytes(data: Uint8Array, from: number, to: number): void {
    const start = this.offsets[this.size - 1]!;
    const end = start + to - from;
    if (end > this.data.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.data.byteLength * 2));
      this.data.copy(grown, 0, 0, start);
      this.data = grown;
    }
    this.data.set(data.subarray(from, to), start);
    this.offsets[this.size] = end;
  }

  /** Takes a free slot for a new value; returns its index + 1. */
  private insert(hash: number, slot: number): number {
    if (this.size === this.hashes.length) this.grow();
    this.hashes[this.size] = hash;
    this.size++;
    this.table[slot] = this.size;
    if (this.size * 2 > this.table.length) this.rehash();
    return this.size;
  }

  private grow(): void {
    const capacity = this.hashes.length * 2;
    const hashes = new Int32Array(capacity);
    hashes.set(this.hashes);
    this.hashes = hashes;
    const words = new Uint32Array(capacity * this.width);
    words.set(this.words);
    this.words = words;
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  private rehash(): void {
    const table = new Int32Array(this.table.length * 4);
    for (let i = 0; i < this.size; i++) {
      let slot = this.hashes[i]! & (table.length - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (table.length - 1);
      table[slot] = i + 1;
    }
    this.table = table;
  }
}

/** Spreads the bits of a word (the finaliser of MurmurHash3, shortened). */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

function hashBytes(view: DataView, from: number, to: number): number {
  let hash = to - from;
  for (; from + 4 <= to; from += 4)
    hash = Math.imul(hash ^ view.getInt32(from, true), 0x9e3779b1) ^ (hash >>> 15);
  for (; from < to; from++) hash = Math.imul(hash ^ view.getUint8(from), 0x01000193);
  return mix(hash);
}
