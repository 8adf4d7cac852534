/** The rows of one batch while they come together out of chunks. */
import type { DataChunk } from '@duckdb/node-bindings';
import { Batch, type Json, type LogicalType, layoutOf, type OpenRequest, types } from '@sluice/sdk';
import type { Bindings } from '../database/driver.js';
import { textBytes } from '../vectors/string-read.js';
import { ColumnReader } from '../vectors/vector-read.js';
import { placeColumns, type SplitSpec } from './splits.js';

/** Rows of the very first step, before anything is known of their size. */
const FIRST_ROWS = 64;

export class Gathering {
  rows = 0;
  private readonly columns: readonly ColumnReader[];
  private readonly positions: readonly ColumnReader[];
  private after: Json | undefined;
  /** Bytes a row, as the last batch had them. */
  private rowBytes: number | undefined;
  private readonly width: number;
  /** Columns whose rows differ in size, and say so before they are read. */
  private readonly texts: readonly number[];

  constructor(
    private readonly bindings: Bindings,
    private readonly request: OpenRequest,
    private readonly spec: SplitSpec,
  ) {
    const { fields } = request.reads[0]!.schema;
    this.width = fields.length;
    this.columns = fields.map((f) => new ColumnReader(bindings, f.type));
    this.texts = fields.flatMap((f, i) => (layoutOf(f.type) === 'varlen' ? [i] : []));
    this.positions = positionTypes(spec).map((type) => new ColumnReader(bindings, type));
  }

  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, 0);
  }

  /**
   * How many of the `left` rows behind `from` may come into the batch. A chunk is split only where it would carry
   * the batch well beyond its bound.
   */
  room(chunk: DataChunk, from: number, left: number): number {
    const { batchRows, batchBytes } = this.request;
    const known = this.rows > 0 ? this.bytes / this.rows : this.rowBytes;
    const most = Math.min(left, batchRows - this.rows);
    let count = known === undefined ? Math.min(most, FIRST_ROWS) : most;
    const limit = batchBytes * 1.5 - this.bytes;
    while (count > 1 && this.estimate(chunk, from, count, known ?? 0) > limit) count >>= 1;
    return count;
  }

  /** Bytes of rows: by what is known of rows before them, or what their texts take, whichever is more. */
  private estimate(chunk: DataChunk, from: number, count: number, rowBytes: number): number {
    let bytes = 0;
    for (const i of this.texts)
      bytes += textBytes(this.bindings, this.bindings.data_chunk_get_vector(chunk, i), from, count);
    return Math.max(bytes, count * rowBytes);
  }

  /** Takes rows of a chunk; of the columns that say the position only the last row counts. */
  take(chunk: DataChunk, size: number, from: number, count: number): void {
    const whole = count === size;
    const pick = whole ? undefined : Uint32Array.from({ length: count }, (_, i) => from + i);
    for (let i = 0; i < this.width; i++) {
      this.columns[i]!.append(this.bindings.data_chunk_get_vector(chunk, i), size, pick);
    }
    const last = Uint32Array.of(from + count - 1);
    for (let i = 0; i < this.positions.length; i++) {
      this.positions[i]!.append(this.bindings.data_chunk_get_vector(chunk, this.width + i), size, last);
    }
    this.after = this.readPosition();
    this.rows += count;
  }

  /** The batch, and the position behind it where there is one; further rows are the next batch's. */
  finish(): { batch: Batch; after: Json | undefined } {
    this.rowBytes = this.bytes / this.rows;
    const columns = this.columns.map((column) => column.finish());
    const batch = Batch.ofColumns(this.request.reads[0]!.schema, columns, this.rows);
    this.rows = 0;
    return { batch, after: this.after };
  }

  private readPosition(): Json | undefined {
    const held = this.positions.map((column) => column.finish().data);
    if (held.length === 0) return undefined;
    if (this.spec.by === 'row') {
      const [rowid] = held;
      return rowid?.layout === 'fixed' ? Number(rowid.values[0]) + 1 : undefined;
    }
    const texts = held.map((data) => (data.layout === 'varlen' ? Buffer.from(data.data).toString() : ''));
    return this.spec.by === 'cursor' ? { after: texts } : texts;
  }
}

/** Types of the columns behind the stream's own, which say where a row is. */
function positionTypes(spec: SplitSpec): LogicalType[] {
  if (spec.by === 'row') return [types.int64];
  return placeColumns(spec).map(() => types.string);
}
