/**
 * Texts and bytes out of vectors. A string that is longer than 12 bytes is a pointer; reading each through the
 * library costs a call and a buffer a string. DuckDB puts the strings of a result chunk one behind the other, so
 * pointers are joined to runs and each run is read at once: some ten calls a chunk instead of two thousand.
 */
import type { Vector } from '@duckdb/node-bindings';
import { type Bitmap, bitmapBytes, type Layout } from '@sluice/sdk';
import type { Bindings } from '../database/driver.js';
import { isSet, type Pick, type Values } from './read-values.js';

const INLINE = 12;
const POINTER_HIGH = 4_294_967_296;
/** Up to here a loop copies faster than `set` with its two views. */
const SHORT = 48;

export class Strings implements Values {
  private offsets = new Int32Array(1);
  private data = new Uint8Array(0);
  private end = 0;
  /** What the batch before took: the next one begins with as much, rather than growing there again. */
  private expected = { rows: 0, bytes: 0 };

  constructor(private readonly bindings: Bindings) {}

  bytes(length: number): number {
    return this.end + length * 4;
  }

  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    const count = pick?.length ?? size;
    const entries = this.bindings.vector_get_data(vector, size * 16);
    const words = new Uint32Array(entries.buffer, entries.byteOffset, size * 4);
    const rowAt = (i: number) => (pick === undefined ? i : pick[i]!);
    this.reserve(length + count, totalBytes(words, count, rowAt, valid));
    const runs = runsOf(words, count, rowAt, valid);
    const { offsets, data } = this;
    let { end } = this;
    let next = 0;
    let runEnd = -1;
    let run: Uint8Array = data;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const row = rowAt(i);
      if (isSet(valid, row)) {
        const size = words[row * 4]!;
        if (size <= INLINE) {
          for (let b = 0, from = row * 16 + 4; b < size; b++) data[end + b] = entries[from + b]!;
        } else {
          const pointer = words[row * 4 + 3]! * POINTER_HIGH + words[row * 4 + 2]!;
          if (pointer !== runEnd) {
            run = this.bindings.get_data_from_pointer(
              entries.buffer as ArrayBuffer,
              entries.byteOffset + row * 16 + 8,
              runs[next++]!,
            );
            at = 0;
          }
          if (size <= SHORT) for (let b = 0; b < size; b++) data[end + b] = run[at + b]!;
          else data.set(run.subarray(at, at + size), end);
          at += size;
          runEnd = pointer + size;
        }
        end += size;
      }
      offsets[length + i + 1] = end;
    }
    this.end = end;
  }

  finish(length: number): Layout {
    const offsets = this.offsets.subarray(0, length + 1);
    const data = this.data.subarray(0, this.end);
    this.expected = { rows: length, bytes: this.end };
    this.offsets = new Int32Array(1);
    this.data = new Uint8Array(0);
    this.end = 0;
    return { layout: 'varlen', offsets, data };
  }

  private reserve(rows: number, bytes: number): void {
    if (rows + 1 > this.offsets.length) {
      const grown = new Int32Array(Math.max(rows + 1, this.offsets.length * 2, this.expected.rows + 1));
      grown.set(this.offsets);
      this.offsets = grown;
    }
    if (this.end + bytes > this.data.length) {
      const grown = new Uint8Array(Math.max(this.end + bytes, this.data.length * 2, this.expected.bytes));
      grown.set(this.data.subarray(0, this.end));
      this.data = grown;
    }
  }
}

function totalBytes(
  words: Uint32Array,
  count: number,
  rowAt: (i: number) => number,
  valid: Bitmap | null,
): number {
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const row = rowAt(i);
    if (isSet(valid, row)) bytes += words[row * 4]!;
  }
  return bytes;
}

/** Bytes of the texts of some rows of a vector, without reading them. */
export function textBytes(bindings: Bindings, vector: Vector, from: number, count: number): number {
  const entries = bindings.vector_get_data(vector, (from + count) * 16);
  const words = new Uint32Array(entries.buffer, entries.byteOffset, (from + count) * 4);
  const valid = bindings.vector_get_validity(vector, bitmapBytes(from + count)) as Uint8Array | null;
  return totalBytes(words, count, (i) => from + i, valid);
}

/** Lengths of the runs of strings that lie one behind the other in memory, in the order of the rows. */
function runsOf(
  words: Uint32Array,
  count: number,
  rowAt: (i: number) => number,
  valid: Bitmap | null,
): number[] {
  const runs: number[] = [];
  let end = -1;
  for (let i = 0; i < count; i++) {
    const row = rowAt(i);
    const size = words[row * 4]!;
    if (size <= INLINE || !isSet(valid, row)) continue;
    const pointer = words[row * 4 + 3]! * POINTER_HIGH + words[row * 4 + 2]!;
    if (pointer === end) runs[runs.length - 1]! += size;
    else runs.push(size);
    end = pointer + size;
  }
  return runs;
}
