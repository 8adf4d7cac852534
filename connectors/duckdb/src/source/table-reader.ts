/** Reads one split: chunks of a streamed result, gathered into batches of columns. */

import type { DuckDBResult } from '@duckdb/node-api';
import type { DataChunk } from '@duckdb/node-bindings';
import {
  type Batch,
  type Context,
  checkpoint,
  type Json,
  type Message,
  type OpenRequest,
  type Reader,
} from '@sluice/sdk';
import type { DatabaseLease } from '../database/database.js';
import type { Bindings } from '../database/driver.js';
import { statementFailed } from '../database/failure.js';
import type { Session } from '../database/session.js';
import { Gathering } from './gathering.js';
import type { Stretch } from './queries.js';
import { END, type SplitSpec } from './splits.js';

export class TableReader implements Reader {
  private closed = false;
  private reading: Promise<unknown> = Promise.resolve();
  private readonly stop = () => this.session.interrupt();
  private readonly bindings: Bindings;
  /** The chunk that is being copied: its vectors point into it, and do not keep it alive. */
  protected holding: DataChunk | null = null;

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
    const { phase, spec: json } = this.request.split;
    const spec = json as unknown as SplitSpec;
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
    yield checkpoint(spec.by === 'whole' ? END : position, phase === 'bulk');
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
    const gathering = new Gathering(this.bindings, this.request, spec);
    // The next chunk is made on DuckDB's threads while this one is being copied.
    let next = this.fetch(result);
    for (;;) {
      const chunk = await next;
      const size = chunk === null ? 0 : this.bindings.data_chunk_get_size(chunk);
      this.holding = chunk;
      if (chunk === null || size === 0) break;
      next = this.fetch(result);
      // Whoever stops listening here has been told by `close`; the failure must not be nobody's.
      next.catch(() => undefined);
      for (let from = 0; from < size; ) {
        const count = gathering.room(chunk, from, size - from);
        gathering.take(chunk, size, from, count);
        from += count;
        if (gathering.rows < batchRows && gathering.bytes < batchBytes) continue;
        yield gathering.finish();
      }
    }
    if (gathering.rows > 0) yield gathering.finish();
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
