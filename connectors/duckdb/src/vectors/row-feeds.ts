/**
 * How rows get into DuckDB: a table function, `sluice_rows(n)`, whose chunks are filled straight from a batch's
 * columns. DuckDB's threads call it while they run `INSERT … SELECT`, so compressing and writing happen off the
 * main thread, and what is left to do here is copying memory. See docs/design/duckdb-load.md for what else was tried.
 */

import type { DuckDBConnection, DuckDBTableFunction, DuckDBType } from '@duckdb/node-api';
import type { DataChunk } from '@duckdb/node-bindings';
import type { Column } from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import type { VectorWriter } from './vector-write.js';

/** A column of a feed. */
export interface FeedColumn {
  readonly name: string;
  readonly type: DuckDBType;
  readonly write: VectorWriter;
}

/** Rows of one batch, in the order of the feed's columns; undefined is a column of nulls. */
export interface FeedRows {
  readonly columns: readonly (Column | undefined)[];
  readonly rowCount: number;
}

/** Rows that one INSERT is to take. */
interface Feed {
  readonly columns: readonly FeedColumn[];
  readonly rows: readonly FeedRows[];
  /** What a column writer threw; DuckDB keeps only the message. */
  failure?: unknown;
}

const NAME = 'sluice_rows';

export class RowFeeds {
  private readonly feeds = new Map<bigint, Feed>();
  private last = 0n;

  /** Registers the function for all connections of a database; `connection` must have no transaction open. */
  constructor(
    private readonly driver: Driver,
    connection: DuckDBConnection,
  ) {
    connection.registerTableFunction(this.tableFunction());
  }

  /**
   * Runs a statement over rows: `statement` gets the SQL of a table of them. Rows that `write` refuses make it
   * fail with what was thrown. The caller keeps the columns unchanged until the promise settles.
   */
  async use(
    columns: readonly FeedColumn[],
    rows: readonly FeedRows[],
    statement: (table: string) => Promise<void>,
  ): Promise<void> {
    const id = ++this.last;
    const feed: Feed = { columns, rows };
    this.feeds.set(id, feed);
    try {
      await statement(`${NAME}(${id})`);
    } catch (error) {
      throw feed.failure ?? error;
    } finally {
      this.feeds.delete(id);
    }
  }

  private tableFunction(): DuckDBTableFunction {
    const { api, bindings } = this.driver;
    const made = api.DuckDBTableFunction.create({
      name: NAME,
      parameterTypes: [api.BIGINT],
      bindFunction: (info) => {
        const feed = this.feeds.get(info.getParameter(0) as bigint);
        if (feed === undefined) throw new Error(`${NAME}: no such rows`);
        for (const column of feed.columns) info.addResultColumn(column.name, column.type);
        info.setBindData({ feed });
        info.setCardinality(
          feed.rows.reduce((sum, part) => sum + part.rowCount, 0),
          true,
        );
      },
      // One thread pulls: rows stay in their order, and two pulls at once could not run here at once anyway.
      initFunction: (info) => {
        const { feed } = info.getBindData() as { feed: Feed };
        info.setInitData({ next: chunkFiller(this.driver, feed) });
        info.setMaxThreads(1);
      },
      mainFunction: () => undefined,
    });
    // Set beneath the library's wrapper, which would make objects for chunk and vectors at every call.
    bindings.table_function_set_function(made.table_function, (info, output) => {
      const { next } = bindings.function_get_init_data(info) as { next: (chunk: DataChunk) => void };
      next(output);
    });
    return made;
  }
}

/** Fills one chunk after the other with a feed's rows; a chunk of no rows ends it. */
function chunkFiller({ bindings }: Driver, feed: Feed): (chunk: DataChunk) => void {
  const size = bindings.vector_size();
  let part = 0;
  let from = 0;
  return (chunk) => {
    while (part < feed.rows.length && from === feed.rows[part]!.rowCount) {
      part++;
      from = 0;
    }
    const rows = feed.rows[part];
    const count = rows === undefined ? 0 : Math.min(size, rows.rowCount - from);
    try {
      for (let i = 0; count > 0 && i < feed.columns.length; i++) {
        feed.columns[i]!.write(bindings.data_chunk_get_vector(chunk, i), rows!.columns[i], from, count);
      }
    } catch (error) {
      feed.failure = error;
      throw error;
    }
    bindings.data_chunk_set_size(chunk, count);
    from += count;
  };
}
