/**
 * Brings rows into tables while the next ones are being read: rows wait until there are enough for an INSERT that
 * fills whole row groups, and one INSERT runs on DuckDB's threads at a time. So a writer holds at most the rows
 * that wait and the rows that are being inserted.
 */
import { decodedColumn } from '@sluice/sdk';
import type { Database } from '../database/database.js';
import { statementFailed } from '../database/failure.js';
import type { Session } from '../database/session.js';
import { tableError } from '../tables/table-error.js';
import type { FeedColumn, FeedRows } from '../vectors/row-feeds.js';

/** Where rows go. */
export interface LoadTarget {
  readonly columns: readonly FeedColumn[];
  /** The statement, given the SQL of a table of the rows. */
  readonly insert: (rows: string) => string;
  /** The table's name in messages, and the stream that it is for. */
  readonly name: string;
  readonly stream: string;
}

export class Loader {
  private waiting = new Map<LoadTarget, FeedRows[]>();
  private waitingBytes = 0;
  private running: Promise<void> = Promise.resolve();
  private busy = false;
  private failed = false;

  constructor(
    private readonly database: Database,
    private readonly session: Session,
    /** Bytes that wait before they are inserted. */
    private readonly enough: number,
    /** Runs before each INSERT, say to begin the transaction. */
    private readonly prepare: () => Promise<void>,
  ) {}

  /** Accepts rows. Rejects with what went wrong with earlier ones. */
  async add(target: LoadTarget, { columns, rowCount }: FeedRows, bytes: number): Promise<void> {
    // What waits is counted by its bytes, so nothing else may stay with it.
    const rows = { columns: columns.map((column) => column && decodedColumn(column)), rowCount };
    const list = this.waiting.get(target);
    if (list === undefined) this.waiting.set(target, [rows]);
    else list.push(rows);
    this.waitingBytes += bytes;
    if (this.waitingBytes < this.enough) {
      if (this.failed) await this.running;
      return;
    }
    await this.running;
    this.start();
  }

  /** Returns when everything that was accepted is in its table. */
  async drain(): Promise<void> {
    await this.running;
    this.start();
    await this.running;
  }

  /** Returns when no INSERT runs, so that the connection is free for another statement. */
  async settle(): Promise<void> {
    await this.running;
  }

  /** Forgets what waits, and what is being inserted as far as that can be stopped. */
  async discard(): Promise<void> {
    this.waiting.clear();
    this.waitingBytes = 0;
    if (this.busy) this.session.interrupt();
    await this.running.catch(() => undefined);
    this.running = Promise.resolve();
    this.failed = false;
  }

  private start(): void {
    if (this.waiting.size === 0) return;
    const batch = this.waiting;
    this.waiting = new Map();
    this.waitingBytes = 0;
    this.busy = true;
    this.running = this.insertAll(batch).finally(() => {
      this.busy = false;
    });
    // The failure is met by the next `add` or `drain`; until then it is nobody's.
    this.running.catch(() => {
      this.failed = true;
    });
  }

  private async insertAll(batch: ReadonlyMap<LoadTarget, readonly FeedRows[]>): Promise<void> {
    await this.prepare();
    const { connection } = this.session;
    for (const [target, rows] of batch) {
      try {
        await this.database.feeds.use(target.columns, rows, async (table) => {
          await connection.run(target.insert(table));
        });
      } catch (error) {
        throw tableError(statementFailed(error, `insert into ${target.name}`), target.stream);
      }
    }
  }
}
