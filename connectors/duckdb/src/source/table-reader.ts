/** Reads one split: chunks of a streamed result, gathered into batches of columns. */

import type { DuckDBResult } from '@duckdb/node-api';
import type { DataChunk } from '@duckdb/node-bindings';
import {
  Batch,
  type Context,
  checkpoint,
  type Json,
  type Message,
  type OpenRequest,
  type Reader,
  types,
} from '@sluice/sdk';
import type { DatabaseLease } from '../database/database.js';
import type { Bindings } from '../database/driver.js';
import { statementFailed } from '../database/failure.js';
import type { Session } from '../database/session.js';
import { ColumnReader } from '../vectors/vector-read.js';
import type { Stretch } from './queries.js';
import { END, type SplitSpec } from './splits.js';

export class TableReader implements Reader {
  private closed = false;
  private reading: Promise<unknown> = Promise.resolve();
  private readonly stop = () => this.session.interrupt();
  private readonly bindings: Bindings;

  constructor(
    private readonly request: OpenRequest,
    private readonly stretches: readonly Stretch[],
    private readonly lease: DatabaseLease,
    private readonly session: Session,
    private readonly c: Context,
  ) {
    this.bindings = lease.database.driver.bindings;
    c.signal.addEventListener('abort', this.stop);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const spec = this.request.split.spec as unknown as SplitSpec;
    let position = this.request.at;
    if (position !== END) {
      for (const stretch of this.stretches) {
        for await (const { batch, after } of this.batches(stretch, spec)) {
          yield batch;
          if (after === undefined) continue;
          position = after;
          yield checkpoint(position);
        }
        if (stretch.end === undefined || stretch.end === position) continue;
        position = stretch.end;
        yield checkpoint(position);
      }
    }
    yield checkpoint(spec.by === 'whole' ? END : position, true);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.c.signal.removeEventListener('abort', this.stop);
    this.session.interrupt();
    await this.reading.catch(() => undefined);
    this.session.close();
    await this.lease.release();
  }

  /** Batches of one stretch, each with the position behind it where there is one. */
  private async *batches(
    stretch: Stretch,
    spec: SplitSpec,
  ): AsyncGenerator<{ batch: Batch; after: Json | undefined }> {
    const { batchRows, batchBytes } = this.request;
    const result = await this.call(this.session.connection.stream(stretch.sql));
    let gathering = this.gather(spec);
    // The next chunk is made on DuckDB's threads while this one is being copied.
    let next = this.fetch(result);
    for (;;) {
      const chunk = await next;
      const size = chunk === null ? 0 : this.bindings.data_chunk_get_size(chunk);
      if (chunk === null || size === 0) break;
      next = this.fetch(result);
      // Whoever stops listening here has been told by `close`; the failure must not be nobody's.
      next.catch(() => undefined);
      for (let from = 0; from < size; ) {
        const count = Math.min(size - from, batchRows - gathering.rows);
        gathering.take(chunk, size, from, count);
        from += count;
        if (gathering.rows < batchRows && gathering.bytes < batchBytes) continue;
        yield gathering.finish();
        gathering = this.gather(spec);
      }
    }
    if (gathering.rows > 0) yield gathering.finish();
  }

  private gather(spec: SplitSpec): Gathering {
    return new Gathering(this.bindings, this.request, spec);
  }

  private fetch(result: DuckDBResult): Promise<DataChunk | null> {
    return this.call(result.fetchChunk().then((chunk) => chunk?.chunk ?? null));
  }

  private async call<T>(task: Promise<T>): Promise<T> {
    this.reading = task;
    try {
      return await task;
    } catch (error) {
      this.c.signal.throwIfAborted();
      throw statementFailed(error, `read ${this.request.split.id}`);
    }
  }
}

/** The rows of one batch while they come together. */
class Gathering {
  rows = 0;
  private readonly columns: readonly ColumnReader[];
  private positions: readonly ColumnReader[];
  private readonly width: number;

  constructor(
    private readonly bindings: Bindings,
    private readonly request: OpenRequest,
    private readonly spec: SplitSpec,
  ) {
    const { fields } = request.reads[0]!.schema;
    this.width = fields.length;
    this.columns = fields.map((f) => new ColumnReader(bindings, f.type));
    this.positions = this.newPositions();
  }

  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, 0);
  }

  /** Takes rows of a chunk; of the columns that say the position only the last row counts. */
  take(chunk: DataChunk, size: number, from: number, count: number): void {
    const whole = count === size;
    const pick = whole ? undefined : Uint32Array.from({ length: count }, (_, i) => from + i);
    for (let i = 0; i < this.width; i++) {
      this.columns[i]!.append(this.bindings.data_chunk_get_vector(chunk, i), size, pick);
    }
    this.positions = this.newPositions();
    const last = Uint32Array.of(from + count - 1);
    for (let i = 0; i < this.positions.length; i++) {
      this.positions[i]!.append(this.bindings.data_chunk_get_vector(chunk, this.width + i), size, last);
    }
    this.rows += count;
  }

  finish(): { batch: Batch; after: Json | undefined } {
    const columns = this.columns.map((column) => column.finish());
    const batch = Batch.ofColumns(this.request.reads[0]!.schema, columns, this.rows);
    return { batch, after: this.after() };
  }

  private newPositions(): readonly ColumnReader[] {
    if (this.spec.by === 'row') return [new ColumnReader(this.bindings, types.int64)];
    if (this.spec.by === 'key') return this.spec.key.map(() => new ColumnReader(this.bindings, types.string));
    return [];
  }

  private after(): Json | undefined {
    const held = this.positions.map((column) => column.finish().data);
    if (this.spec.by === 'row') {
      const [rowid] = held;
      return rowid?.layout === 'fixed' ? Number(rowid.values[0]) + 1 : undefined;
    }
    if (this.spec.by === 'whole') return undefined;
    return held.map((data) => (data.layout === 'varlen' ? Buffer.from(data.data).toString() : ''));
  }
}
