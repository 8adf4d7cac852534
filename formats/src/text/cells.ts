/**
 * Cells: where the values of a block of text records lie, before they are decoded. A scanner (CSV, JSON Lines) fills
 * a table of offsets once; then every column is decoded in a loop of its own (`cell-columns.ts`).
 *
 * Why two passes: the scanner's loop and each decoder's loop stay small and monomorphic, so that the compiler keeps
 * everything in registers, and no string or object is made per value. The block (about 1 MB) and the offsets stay in
 * the second-level cache between the passes.
 */

/** Kinds of cell, kept in the low two bits of `starts`. */
export const PLAIN = 0;
/** Stood between quotes; its text needs no unescaping. */
export const QUOTED = 1;
/** Stood between quotes and holds escapes. */
export const ESCAPED = 2;
/** No value. */
export const NULL = 3;

/** Bytes behind the end of a block that must exist, so that whole words can be read at its end. */
export const BLOCK_SLACK = 16;

/** Cells of one table are bounded, so that a file of thousands of columns does not take memory for 65,536 rows. */
const TABLE_CELLS = 1 << 20;
const LEAST_ROWS = 64;

/** How many rows a table of so many columns has room for. */
export function tableRows(columns: number, wanted = 65_536): number {
  return Math.min(wanted, Math.max(Math.floor(TABLE_CELLS / Math.max(columns, 1)), LEAST_ROWS));
}

/** Writes the plain text of an escaped cell into `out` at `at` and returns where it ends. Never longer than the cell. */
export type Unescape = (bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number) => number;

/** What a table's owner knows of it, for errors. */
export interface CellOwner {
  readonly unescape: Unescape;
  /** The error for a value that its column's type does not hold. `text` is the value as it stands. */
  badValue(table: CellTable, row: number, column: number, text: string, why?: string): Error;
  /** The error for a missing value in a column that allows none. */
  missingValue(table: CellTable, row: number, column: number): Error;
}

export class CellTable {
  /** Cell (row, column) begins at `starts[column * capacity + row] >> 2`; the low bits are its kind. */
  readonly starts: Int32Array;
  /** Where the cell ends, exclusive. */
  readonly ends: Int32Array;
  /** Where each record ends, behind its line end. */
  readonly rowEnds: Int32Array;
  /** Number of line ends between the block's begin and each record's begin. */
  readonly rowLines: Int32Array;
  rows = 0;
  /** Columns that hold {@link ESCAPED} cells. */
  readonly escaped: Uint8Array;

  bytes: Uint8Array = new Uint8Array(BLOCK_SLACK);
  view: DataView = new DataView(this.bytes.buffer);
  /** The same memory, for conversions to strings. */
  text: Buffer = Buffer.from(this.bytes.buffer);
  /** Where the first record begins. */
  begin = 0;
  /** Line number of the block's first byte, and its offset in the text. */
  firstLine = 1;
  firstOffset = 0;
  /** Rows that cannot be read whatever their columns are. */
  readonly refused = new Map<number, Error>();
  /** The row that the owner's last error is about. */
  badRow = 0;

  constructor(
    readonly columns: number,
    readonly capacity: number,
    readonly owner: CellOwner,
  ) {
    this.starts = new Int32Array(columns * capacity);
    this.ends = new Int32Array(columns * capacity);
    this.rowEnds = new Int32Array(capacity);
    this.rowLines = new Int32Array(capacity);
    this.escaped = new Uint8Array(columns);
  }

  /** Points the table at the memory of a block. */
  useBlock(bytes: Uint8Array): void {
    if (this.bytes === bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  kindOf(row: number, column: number): number {
    return this.starts[column * this.capacity + row]! & 3;
  }

  /** The text of one cell; for slow paths and errors. */
  textOf(row: number, column: number): string {
    const at = column * this.capacity + row;
    const start = this.starts[at]! >> 2;
    const end = this.ends[at]!;
    if ((this.starts[at]! & 3) !== ESCAPED) return this.text.toString('utf8', start, end);
    const plain = new Uint8Array(end - start);
    const length = this.owner.unescape(this.bytes, start, end, plain, 0);
    return Buffer.from(plain.buffer, 0, length).toString('utf8');
  }

  /** The bytes of a record, with its line end. */
  recordOf(row: number): Buffer {
    return this.text.subarray(row === 0 ? this.begin : this.rowEnds[row - 1]!, this.rowEnds[row]!);
  }

  lineOf(row: number): number {
    return this.firstLine + this.rowLines[row]!;
  }

  /**
   * Unescapes a column's escaped cells in place, so that decoders of numbers, times and the like need not know of
   * escapes. Plain text is never longer than escaped text, and the records of a table are decoded once.
   */
  resolveEscapes(column: number): void {
    if (this.escaped[column] === 0) return;
    const { starts, ends, bytes } = this;
    const base = column * this.capacity;
    for (let at = base; at < base + this.rows; at++) {
      const start = starts[at]!;
      if ((start & 3) !== ESCAPED) continue;
      ends[at] = this.owner.unescape(bytes, start >> 2, ends[at]!, bytes, start >> 2);
      starts[at] = (start & ~3) | QUOTED;
    }
    this.escaped[column] = 0;
  }
}
