/** Writes random transactions to a database whose server may go down at any instant, each of them once. */
import { appendFileSync } from 'node:fs';
import { psql } from '@sluice/test';
import { RandomChanges, type RandomChangesOptions } from './random-changes.js';
import { whileThere } from './server-away.js';

/** Where transactions note that they were committed; in a schema that is not followed. */
const DONE =
  'CREATE SCHEMA IF NOT EXISTS noted; CREATE TABLE IF NOT EXISTS noted.done (writer integer, n integer)';
export class RandomWriter {
  readonly changes: RandomChanges;
  private transactions = 0;

  constructor(
    private readonly url: string,
    private readonly number: number,
    seed: number,
    options: RandomChangesOptions,
    /** Where statements are kept as they are made. */
    private readonly transcript: string,
  ) {
    this.changes = new RandomChanges(`w${number}`, seed * 10 + number, options);
  }

  async begin(): Promise<void> {
    const sql = `${DONE}; ${this.changes.begin()}`;
    appendFileSync(this.transcript, `${sql};\n`);
    await psql(this.url, sql);
  }

  async write(count: number): Promise<void> {
    let left = Array.from({ length: count }, () => {
      const n = ++this.transactions;
      return { n, sql: this.changes.next(`INSERT INTO noted.done VALUES (${this.number}, ${n})`) };
    });
    appendFileSync(this.transcript, left.map(({ n, sql }) => `-- ${n}\n${sql}\n`).join(''));
    const last = `SELECT COALESCE(max(n), 0) FROM noted.done WHERE writer = ${this.number}`;
    while (left.length > 0) {
      const sql = left.map((transaction) => transaction.sql).join('\n');
      if ((await whileThere(() => psql(this.url, sql), { again: false })) !== undefined) return;
      const done = Number(await whileThere(() => psql(this.url, last)));
      left = left.filter(({ n }) => n > done);
    }
  }
}
