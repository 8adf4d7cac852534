/** The table of dead letters; to be used inside the ledger's transactions. */
import type { DeadLetter, LetterFilter } from './ledger.js';
import { requireStorable } from './refusals.js';
import type { SqliteFile, SqlValue } from './sqlite-file.js';

export class LetterTable {
  constructor(private readonly file: SqliteFile) {}

  /** One that is there keeps its place. */
  put(job: string, letter: DeadLetter): void {
    const { id, flow, sink, stream } = letter;
    requireStorable(id, flow, sink, stream);
    this.file.run(
      `INSERT INTO letters (job, id, flow, sink, stream, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (job, id) DO UPDATE
       SET flow = excluded.flow, sink = excluded.sink, stream = excluded.stream, body = excluded.body`,
      ...[job, id, flow, sink, stream, JSON.stringify(letter)],
    );
  }

  list(job: string, filter: LetterFilter, limit: number): DeadLetter[] {
    const { sql, values } = conditions(job, filter);
    return this.file
      .all(`SELECT body FROM letters WHERE ${sql} ORDER BY place LIMIT ?`, ...values, limit)
      .map((row) => JSON.parse(row['body'] as string) as DeadLetter);
  }

  count(job: string, filter: LetterFilter): number {
    const { sql, values } = conditions(job, filter);
    return this.file.get(`SELECT count(*) AS letters FROM letters WHERE ${sql}`, ...values)![
      'letters'
    ] as number;
  }

  drop(job: string, id: string): void {
    this.file.run('DELETE FROM letters WHERE job = ? AND id = ?', job, id);
  }
}

const COLUMNS = ['flow', 'sink', 'stream', 'id'] as const;

function conditions(job: string, filter: LetterFilter): { sql: string; values: SqlValue[] } {
  const wanted = COLUMNS.filter((column) => filter[column] !== undefined);
  return {
    sql: ['job = ?', ...wanted.map((column) => `${column} = ?`)].join(' AND '),
    values: [job, ...wanted.map((column) => filter[column]!)],
  };
}
