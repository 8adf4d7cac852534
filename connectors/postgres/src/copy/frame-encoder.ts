/** From columns to rows of a binary COPY: whole CopyData messages, one a row. */
import type { Column } from '@sluice/sdk';
import { type ColumnEncoder, measureFixed, measureSpecials, writeHoles } from './column-encoder.js';

/** A column of the target, with what encodes it. */
export interface EncodedColumn {
  readonly name: string;
  readonly encoder: ColumnEncoder;
}

/** Rows are written in pieces of about this size: they stay in the processor's cache while column after column
 * is written, and each piece is one write to the socket. */
const PIECE = 256 * 1024;

/** Byte of the message's type, its length, and the number of fields. */
const ROW_HEADER = 7;

export class FrameEncoder {
  constructor(private readonly columns: readonly EncodedColumn[]) {}

  /** The rows of the columns, in pieces; each piece is memory of its own. */
  *encode(columns: readonly Column[], rows: number): Generator<Buffer> {
    const prepared = this.columns.map(({ encoder }, c) => encoder.prepare?.(columns[c]!) ?? columns[c]!);
    const sizes = this.measure(prepared, rows);
    let from = 0;
    while (from < rows) {
      let to = from;
      let size = 0;
      while (to < rows && (size === 0 || size + sizes[to]! <= PIECE)) size += sizes[to++]!;
      yield this.piece(prepared, sizes, from, to, size);
      from = to;
    }
  }

  private measure(columns: readonly Column[], rows: number): Int32Array {
    const sizes = new Int32Array(rows).fill(ROW_HEADER + 4 * columns.length);
    this.columns.forEach(({ name, encoder }, c) => {
      const column = columns[c]!;
      if (encoder.size !== undefined) measureFixed(column, encoder.size, sizes);
      else encoder.measure!(column, sizes);
      measureSpecials(encoder, name, column, sizes);
    });
    return sizes;
  }

  private piece(
    columns: readonly Column[],
    sizes: Int32Array,
    from: number,
    to: number,
    size: number,
  ): Buffer {
    const bytes = Buffer.allocUnsafeSlow(size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    const cursor = new Int32Array(to - from);
    const count = columns.length;
    let at = 0;
    for (let i = from; i < to; i++) {
      bytes[at] = 0x64;
      view.setInt32(at + 1, sizes[i]! - 1);
      view.setInt16(at + 5, count);
      cursor[i - from] = at + ROW_HEADER;
      at += sizes[i]!;
    }
    const range = { from, to };
    const out = { bytes, view, cursor };
    for (let c = 0; c < count; c++) {
      const { encoder } = this.columns[c]!;
      writeHoles(encoder, columns[c]!, range, out);
      encoder.write(columns[c]!, range, out);
    }
    return bytes;
  }
}
