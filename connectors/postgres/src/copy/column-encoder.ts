/** What turns a column into fields of COPY rows. */
import { type Column, getBit, type SluiceError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';

/**
 * Encoders work column by column, each in one tight loop over its rows: `cursor[i]` is where the next field of row i
 * goes, and every encoder moves it on. A field is its int32 length, then its bytes; null is length -1.
 */
export interface ColumnEncoder {
  /** Brings a column into the layout that `measure` and `write` read; most are as they should be. */
  prepare?(column: Column): Column;
  /** Bytes of every value without its length, where all are the same; otherwise see `measure`. */
  readonly size?: number;
  /** Adds the bytes of each row's value to `sizes`; for encoders without `size`. */
  measure?(column: Column, sizes: Int32Array): void;
  /** Writes rows `from` up to `to`. */
  write(column: Column, rows: RowRange, out: Output): void;
  /**
   * Writes a value outside the type's range and returns its bytes without the length; undefined when the column has
   * no place for it. It is called twice: without `out` to learn the size.
   */
  special?(text: string, out?: Output, at?: number): number | undefined;
  /** Of an array's encoder: the one of its elements. */
  readonly element?: ColumnEncoder;
}

export interface RowRange {
  readonly from: number;
  readonly to: number;
}

export interface Output {
  readonly bytes: Buffer;
  /** Over the same bytes. */
  readonly view: DataView;
  /** Of row `from` + i: where its next field goes. */
  readonly cursor: Int32Array;
}

/** Adds sizes of a column whose values take the same space. */
export function measureFixed(column: Column, size: number, sizes: Int32Array): void {
  const { validity } = column;
  const { length } = column;
  if (validity === undefined) {
    for (let i = 0; i < length; i++) sizes[i]! += size;
  } else {
    for (let i = 0; i < length; i++) if ((validity[i >> 3]! >> (i & 7)) & 1) sizes[i]! += size;
  }
}

/**
 * Writes what stands in rows without a value: null, or a special. Encoders skip such rows, so that their loops have
 * one branch.
 */
export function writeHoles(
  encoder: ColumnEncoder,
  column: Column,
  { from, to }: RowRange,
  out: Output,
): void {
  const { validity, special } = column;
  if (validity === undefined) return;
  const { view, cursor } = out;
  for (let i = from; i < to; i++) {
    if ((validity[i >> 3]! >> (i & 7)) & 1) continue;
    const at = cursor[i - from]!;
    const text = special?.get(i);
    if (text === undefined) {
      view.setInt32(at, -1);
      cursor[i - from] = at + 4;
    } else {
      const size = encoder.special!(text, out, at + 4)!;
      view.setInt32(at, size);
      cursor[i - from] = at + 4 + size;
    }
  }
}

/** Adds the sizes of specials; throws `SLUICE-PG-0033` for one that has no place. */
export function measureSpecials(
  encoder: ColumnEncoder,
  name: string,
  column: Column,
  sizes: Int32Array,
): void {
  if (column.special === undefined) return;
  for (const [row, text] of column.special) {
    if (getBit(column.validity!, row)) continue;
    const size = encoder.special?.(text);
    if (size === undefined) throw specialRefused(name, row, text);
    sizes[row]! += size;
  }
}

function specialRefused(column: string, row: number, text: string): SluiceError {
  const shown = JSON.stringify(text.slice(0, 80));
  return pgErrors.specialRefused(`column ${column}: ${shown} has no place in the target column`, {
    details: { column, row },
  });
}
