/** One connection to a database, with coded errors. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { statementFailed } from './failure.js';

/** A cell as DuckDB's JSON form gives it: 64-bit integers and wider ones are texts. */
export type Cell = string | number | boolean | null;
export type Record = { readonly [column: string]: Cell };

export class Session {
  constructor(readonly connection: DuckDBConnection) {}

  /** Runs a statement. `what` says in an error message what was being done. */
  async run(sql: string, what: string, values?: DuckDBValue[]): Promise<void> {
    try {
      await this.connection.run(sql, values);
    } catch (error) {
      throw statementFailed(error, what);
    }
  }

  async rows(sql: string, what: string, values?: DuckDBValue[]): Promise<Record[]> {
    try {
      const reader = await this.connection.runAndReadAll(sql, values);
      return reader.getRowObjectsJson() as unknown as Record[];
    } catch (error) {
      throw statementFailed(error, what);
    }
  }

  /** Runs a task in a transaction; what it throws rolls back. `beforeCommit` runs when only COMMIT is missing. */
  async transaction<T>(task: () => Promise<T>, beforeCommit?: () => void): Promise<T> {
    await this.run('BEGIN', 'begin');
    try {
      const result = await task();
      beforeCommit?.();
      await this.run('COMMIT', 'commit');
      return result;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  /** Ends a transaction, if there is one. */
  async rollback(): Promise<void> {
    await this.connection.run('ROLLBACK').catch(() => undefined);
  }

  /** Stops the statement that is running; it fails. */
  interrupt(): void {
    this.connection.interrupt();
  }

  close(): void {
    this.connection.closeSync();
  }
}
