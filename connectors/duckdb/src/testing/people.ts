/** A stream of people, for tests of the sink. */
import path from 'node:path';
import { Batch, type Field, field, OPS, type Op, type Row, streamSchema, types } from '@sluice/sdk';
import { openDatabase } from '../database/database.js';
import { type SinkJobRun, sql, withFolder } from './harness.js';

export const FIELDS: readonly Field[] = [
  field('id', types.int32, { nullable: false }),
  field('name', types.string),
  field('n', types.int64),
];
export const SCHEMA = streamSchema('people', FIELDS, ['id']);

export function people(...rows: readonly (readonly [number, string | null, bigint?])[]): Batch {
  return Batch.ofRows(
    SCHEMA,
    rows.map(([id, name, n]) => ({ id, name, n: n ?? null })),
  );
}

export function changes(...rows: readonly (readonly [Op, Row, Row?])[]): Batch {
  const before = rows.some(([, , old]) => old !== undefined)
    ? Batch.ofRows(
        SCHEMA,
        rows.map(([, row, old]) => old ?? row),
      )
    : undefined;
  const op = Uint8Array.from(rows, ([code]) => OPS.indexOf(code));
  return Batch.ofRows(
    SCHEMA,
    rows.map(([, row]) => row),
    { op, ...(before && { before }) },
  );
}

export async function inFile(task: (file: string) => Promise<void>): Promise<void> {
  await withFolder((folder) => task(path.join(folder, 'test.duckdb')));
}

export function target(file: string, order = 'id'): Promise<{ [column: string]: unknown }[]> {
  return sql(file, `SELECT * FROM main.target ORDER BY ${order}`);
}

/** Rows as the running process sees them: the file cannot be opened twice. */
export async function kept(run: SinkJobRun, query: string): Promise<{ [column: string]: unknown }[]> {
  const config = (run.sink as unknown as { config: Parameters<typeof openDatabase>[0] }).config;
  const lease = await openDatabase(config, true, run.c);
  try {
    return [...(await lease.database.control.rows(query, 'look'))];
  } finally {
    await lease.release();
  }
}
