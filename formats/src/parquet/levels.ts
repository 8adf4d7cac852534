/**
 * Definition and repetition levels of a page, as they collect: most columns have one level throughout (no value
 * is null), which is kept as a number and written as one run.
 */
import { bitWidth } from './format.js';
import { hybridBound, writeHybrid, writeRun } from './rle-write.js';

/** Levels of some entries: one number for all of them, or one a piece. */
export type Levels = number | Uint8Array;

export class LevelBuffer {
  length = 0;
  private levels: Uint8Array | undefined;
  private uniform = 0;
  private readonly width: number;

  constructor(max: number) {
    this.width = bitWidth(max);
  }

  /** Appends the levels of `count` entries. */
  append(levels: Levels, count: number): void {
    if (this.width === 0 || count === 0) {
      this.length += count;
      return;
    }
    if (
      typeof levels === 'number' &&
      this.levels === undefined &&
      (this.length === 0 || levels === this.uniform)
    ) {
      this.uniform = levels;
      this.length += count;
      return;
    }
    const held = this.reserve(this.length + count);
    if (typeof levels === 'number') held.fill(levels, this.length, this.length + count);
    else held.set(levels.subarray(0, count), this.length);
    this.length += count;
  }

  clear(): void {
    this.length = 0;
    this.levels = undefined;
  }

  /** Bytes that {@link write} needs at most. */
  bound(): number {
    if (this.width === 0) return 0;
    return 4 + (this.levels === undefined ? 16 : hybridBound(this.length, this.width));
  }

  /** Writes the levels as data pages of version 1 hold them, with their length in front; returns the end. */
  write(out: Uint8Array, at: number): number {
    if (this.width === 0) return at;
    const end =
      this.levels === undefined
        ? writeRun(this.uniform, this.length, this.width, out, at + 4)
        : writeHybrid(this.levels, this.length, this.width, out, at + 4);
    const size = end - at - 4;
    for (let byte = 0; byte < 4; byte++) out[at + byte] = size >>> (byte * 8);
    return end;
  }

  private reserve(capacity: number): Uint8Array {
    if (this.levels !== undefined && this.levels.length >= capacity) return this.levels;
    const grown = new Uint8Array(Math.max(capacity, (this.levels?.length ?? 4096) * 2));
    if (this.levels === undefined) grown.fill(this.uniform, 0, this.length);
    else grown.set(this.levels.subarray(0, this.length));
    this.levels = grown;
    return grown;
  }
}
