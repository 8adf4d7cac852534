/** From columns to rows of a binary COPY: whole CopyData messages, one a row. */
import type { Column } from '@sluice/sdk';
import { BufferPool } from './buffer-pool.js';
import { type ColumnEncoder, measureFixed, measureSpecials, writeHoles } from './column-encoder.js';
import { inColumn } from './row-problem.js';

/** A column of the target, with what encodes it. */
export interface EncodedColumn {
  readonly name: string;
  readonly encoder: ColumnEncoder;
}

/** Whole rows, and what to call when they have been sent: their memory is then used again. */
export interface Frames {
  readonly bytes: Uint8Array;
  readonly release?: () => void;
}

/**
 * Rows are written in pieces of about this size: they stay in the processor's cache while column after column is
 * written, and each piece is one write to the socket.
 */
const PIECE = 256 * 1024;

/** Byte of the message's type, its length, and the number of fields. */
const ROW_HEADER = 7;

export class FrameEncoder {
  private readonly pool = new BufferPool(PIECE);
  private sizes = new Int32Array(0);
  private cursor = new Int32Array(0);

  constructor(private readonly columns: readonly EncodedColumn[]) {}

  /** The rows of the columns, in pieces. */
  *encode(columns: readonly Column[], rows: number): Generator<Frames> {
    const prepared = this.columns.map(({ name, encoder }, c) =>
      inColumn(name, () => encoder.prepare?.(columns[c]!) ?? columns[c]!),
    );
    const sizes = this.measure(prepared, rows);
    let from = 0;
    while (from < rows) {
      let to = from;
      let size = 0;
      while (to < rows && (size === 0 || size + sizes[to]! <= PIECE)) size += sizes[to++]!;
      const buffer = this.pool.take(size);
      this.write(prepared, buffer, from, to);
      yield { bytes: buffer.subarray(0, size), release: () => this.pool.give(buffer) };
      from = to;
    }
  }

  /** Bytes of each row's message. */
  private measure(columns: readonly Column[], rows: number): Int32Array {
    if (this.sizes.length < rows) {
      this.sizes = new Int32Array(rows);
      this.cursor = new Int32Array(rows);
    }
    const sizes = this.sizes.fill(ROW_HEADER + 4 * columns.length, 0, rows);
    this.columns.forEach(({ name, encoder }, c) => {
      const column = columns[c]!;
      if (encoder.size !== undefined) measureFixed(column, encoder.size, sizes);
      else encoder.measure!(column, sizes);
      measureSpecials(encoder, name, column, sizes);
    });
    return sizes;
  }

  private write(columns: readonly Column[], bytes: Buffer, from: number, to: number): void {
    const { sizes, cursor } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
      const { name, encoder } = this.columns[c]!;
      writeHoles(encoder, columns[c]!, range, out);
      inColumn(name, () => encoder.write(columns[c]!, range, out));
    }
  }
}
