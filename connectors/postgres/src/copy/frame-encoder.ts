/** From columns to rows of a binary COPY: whole CopyData messages, one a row. */
import type { Column } from '@sluice/sdk';
import type { Wire } from '../types/wire.js';
import { BufferPool } from './buffer-pool.js';
import {
  type ColumnEncoder,
  measureFixed,
  measureSpecials,
  type Output,
  type RowRange,
  writeHoles,
} from './column-encoder.js';
import { FieldRun, follows } from './field-run.js';
import { inColumn } from './row-problem.js';
import { passingFields } from './untouched.js';

/** A column of the target, with what encodes it. */
export interface EncodedColumn {
  readonly name: string;
  readonly encoder: ColumnEncoder;
  /** Its wire, where fields of the same wire may be copied as they are. */
  readonly wire?: Wire;
}

/** Some of a row's fields, and how they get there. */
interface Part {
  measure(sizes: Int32Array): void;
  write(range: RowRange, out: Output): void;
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
  /** By the first of their columns. */
  private readonly runs: FieldRun[] = [];

  constructor(private readonly columns: readonly EncodedColumn[]) {}

  /** The rows of the columns, in pieces. */
  *encode(columns: readonly Column[], rows: number): Generator<Frames> {
    const parts = this.parts(columns, rows);
    const sizes = this.measure(parts, rows);
    let from = 0;
    while (from < rows) {
      let to = from;
      let size = 0;
      while (to < rows && (size === 0 || size + sizes[to]! <= PIECE)) size += sizes[to++]!;
      const buffer = this.pool.take(size);
      this.write(parts, buffer, from, to);
      yield { bytes: buffer.subarray(0, size), release: () => this.pool.give(buffer) };
      from = to;
    }
  }

  /** Columns as they are encoded, and runs of fields that are copied. */
  private parts(columns: readonly Column[], rows: number): Part[] {
    const parts: Part[] = [];
    for (let c = 0; c < this.columns.length; ) {
      const { wire, name, encoder } = this.columns[c]!;
      const first = passingFields(columns[c]!, wire);
      if (first === undefined) {
        const given = columns[c]!;
        parts.push(
          new EncodedPart(
            name,
            encoder,
            inColumn(name, () => encoder.prepare?.(given) ?? given),
          ),
        );
        c++;
        continue;
      }
      let last = first;
      let fields = 1;
      for (; c + fields < this.columns.length; fields++) {
        const next = passingFields(columns[c + fields]!, this.columns[c + fields]!.wire);
        if (next === undefined || !follows(last, next)) break;
        last = next;
      }
      this.runs[c] ??= new FieldRun();
      parts.push(this.runs[c]!.over(first, last, fields, rows));
      c += fields;
    }
    return parts;
  }

  /** Bytes of each row's message. */
  private measure(parts: readonly Part[], rows: number): Int32Array {
    if (this.sizes.length < rows) {
      this.sizes = new Int32Array(rows);
      this.cursor = new Int32Array(rows);
    }
    const sizes = this.sizes.fill(ROW_HEADER + 4 * this.columns.length, 0, rows);
    for (const part of parts) part.measure(sizes);
    return sizes;
  }

  private write(parts: readonly Part[], bytes: Buffer, from: number, to: number): void {
    const { sizes, cursor } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = this.columns.length;
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
    for (const part of parts) part.write(range, out);
  }
}

/** One column, encoded. */
class EncodedPart implements Part {
  constructor(
    private readonly name: string,
    private readonly encoder: ColumnEncoder,
    private readonly column: Column,
  ) {}

  measure(sizes: Int32Array): void {
    const { name, encoder, column } = this;
    if (encoder.size !== undefined) measureFixed(column, encoder.size, sizes);
    else encoder.measure!(column, sizes);
    measureSpecials(encoder, name, column, sizes);
  }

  write(range: RowRange, out: Output): void {
    const { name, encoder, column } = this;
    writeHoles(encoder, column, range, out);
    inColumn(name, () => encoder.write(column, range, out));
  }
}
