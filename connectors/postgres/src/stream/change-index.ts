/**
 * Finds the fields of logged rows where they lie in the bytes that came, as {@link Cells} of columns: a field in binary
 * is its length and the same bytes as in binary COPY, so that the decoders of COPY read both.
 *
 * TupleData: int16 fields; each a kind: `n` null, `u` unchanged and not sent, `b` or `t` with int32 length and the value
 * in binary or as text.
 */
import { type Bitmap, bitmapBytes, setBit } from '@sluice/sdk';
import type { Cells } from '../copy/cells.js';
import { pgErrors } from '../errors.js';

const NULL = 0x6e;
const UNCHANGED = 0x75;
const TEXT = 0x74;
/** Before a tuple: it is the key of an old row, and other fields were not sent. */
const KEY = 0x4b;

/** No tuple: nothing of the row was sent. */
export const NO_TUPLE = -1;

export class ChangeIndex {
  private readonly view: DataView;
  private readonly starts: Int32Array;
  private readonly nulls: Int32Array;
  private readonly absents: (Bitmap | undefined)[];
  private readonly texts: Uint8Array;

  constructor(
    private readonly bytes: Buffer,
    /** Where each row's tuple begins, or {@link NO_TUPLE}. */
    private readonly tuples: Int32Array,
    private readonly columns: number,
    /** What else is known of the rows: where values come from that are unchanged. */
    private readonly old?: ChangeIndex,
    /** Of the key of an old row: the columns that are in it; without, fields that were not sent are null. */
    private readonly keyColumns?: readonly boolean[],
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.starts = new Int32Array(tuples.length * columns);
    this.nulls = new Int32Array(columns);
    this.absents = new Array(columns);
    this.texts = new Uint8Array(columns);
    this.walk();
  }

  get rows(): number {
    return this.tuples.length;
  }

  cells(column: number): Cells {
    const { bytes, view, tuples } = this;
    const rows = tuples.length;
    const starts = this.starts.subarray(column * rows, (column + 1) * rows);
    return { bytes, view, starts, nulls: this.nulls[column]! };
  }

  /** Bit set: the row's value was not sent. */
  absent(column: number): Bitmap | undefined {
    return this.absents[column];
  }

  /** Whether the column's values came as text. */
  isText(column: number): boolean {
    return this.texts[column] === 1;
  }

  private walk(): void {
    const { bytes, view, tuples, columns, starts, nulls } = this;
    const rows = tuples.length;
    for (let row = 0; row < rows; row++) {
      let at = tuples[row]!;
      if (at === NO_TUPLE) {
        for (let column = 0; column < columns; column++) this.leaveOut(row, column);
        continue;
      }
      const keyOnly = this.keyColumns !== undefined && bytes[at - 1] === KEY;
      if (view.getInt16(at) !== columns)
        throw pgErrors.protocol(`a row of ${columns} columns was logged with ${view.getInt16(at)}`);
      at += 2;
      for (let slot = row, column = 0; column < columns; slot += rows, column++) {
        const kind = bytes[at++]!;
        if (kind === NULL) {
          if (keyOnly && !this.keyColumns![column]) this.leaveOut(row, column);
          else {
            starts[slot] = -1;
            nulls[column]!++;
          }
        } else if (kind === UNCHANGED) {
          this.keep(row, column);
        } else {
          if (kind === TEXT) this.texts[column] = 1;
          starts[slot] = at + 4;
          at += 4 + view.getInt32(at);
        }
      }
    }
  }

  /** An unchanged value is what the old row has, where that was sent whole. */
  private keep(row: number, column: number): void {
    const { old } = this;
    const slot = column * this.tuples.length + row;
    if (old === undefined || old.isAbsent(row, column)) {
      this.leaveOut(row, column);
      return;
    }
    this.starts[slot] = old.starts[slot]!;
    if (old.texts[column] === 1) this.texts[column] = 1;
    if (old.starts[slot]! < 0) this.nulls[column]!++;
  }

  private isAbsent(row: number, column: number): boolean {
    const bits = this.absents[column];
    return bits !== undefined && ((bits[row >> 3]! >> (row & 7)) & 1) === 1;
  }

  private leaveOut(row: number, column: number): void {
    const rows = this.tuples.length;
    this.starts[column * rows + row] = -1;
    this.nulls[column]!++;
    let bits = this.absents[column];
    if (bits === undefined) {
      bits = new Uint8Array(bitmapBytes(rows));
      this.absents[column] = bits;
    }
    setBit(bits, row);
  }
}

/** Where the tuple that begins at `at` ends. */
export function tupleEnd(bytes: Buffer, at: number): number {
  let next = at + 2;
  for (let column = bytes.readInt16BE(at); column > 0; column--) {
    const kind = bytes[next++];
    if (kind !== NULL && kind !== UNCHANGED) next += 4 + bytes.readInt32BE(next);
  }
  return next;
}

/** Whether two tuples of a row differ in one of the columns. */
export function differs(bytes: Buffer, old: number, now: number, columns: readonly number[]): boolean {
  let [a, b] = [old + 2, now + 2];
  let column = 0;
  for (const wanted of columns) {
    for (; column < wanted; column++) {
      a = fieldEnd(bytes, a);
      b = fieldEnd(bytes, b);
    }
    const [endA, endB] = [fieldEnd(bytes, a), fieldEnd(bytes, b)];
    if (bytes[b] !== UNCHANGED && bytes.compare(bytes, a, endA, b, endB) !== 0) return true;
  }
  return false;
}

function fieldEnd(bytes: Buffer, at: number): number {
  const kind = bytes[at];
  return kind === NULL || kind === UNCHANGED ? at + 1 : at + 5 + bytes.readInt32BE(at + 1);
}
