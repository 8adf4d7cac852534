/** Neighbouring fields of rows that are copied from one COPY into another as they are. */
import type { Output, RowRange } from './column-encoder.js';
import { copyBytes } from './copy-bytes.js';
import type { FieldIndex } from './field-index.js';
import type { Fields } from './untouched.js';

export class FieldRun {
  private begin = new Int32Array(0);
  private size = new Int32Array(0);
  private rows = 0;
  private count = 0;
  private index: FieldIndex | undefined;

  /** `count` fields from the first to the last, in `rows` rows. The run is used again for each batch. */
  over(first: Fields, last: Fields, count: number, rows: number): this {
    const { index, column, rows: chosen } = first;
    if (this.begin.length < rows) {
      this.begin = new Int32Array(rows);
      this.size = new Int32Array(rows);
    }
    for (let i = 0; i < rows; i++) {
      const row = chosen === undefined ? i : chosen[i]!;
      const begin = index.begin(column, row);
      this.begin[i] = begin;
      this.size[i] = index.end(last.column, row) - begin;
    }
    this.index = index;
    this.rows = rows;
    this.count = count;
    return this;
  }

  /** Adds what the fields take beyond their lengths, which rows of so many fields have anyway. */
  measure(sizes: Int32Array): void {
    const { size, count, rows } = this;
    for (let i = 0; i < rows; i++) sizes[i]! += size[i]! - 4 * count;
  }

  write({ from, to }: RowRange, { bytes, view, cursor }: Output): void {
    const { begin, size } = this;
    const { bytes: source, view: sourceView } = this.index!;
    for (let i = from; i < to; i++) {
      const at = cursor[i - from]!;
      copyBytes(source, sourceView, begin[i]!, bytes, view, at, size[i]!);
      cursor[i - from] = at + size[i]!;
    }
  }
}

/** Whether one field stands directly behind another, in the same rows. */
export function follows(one: Fields, next: Fields): boolean {
  return next.index === one.index && next.rows === one.rows && next.column === one.column + 1;
}
