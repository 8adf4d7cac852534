/** Removes what the sink keeps of a job: its record and its staging tables. */
import type { Session } from '../database/session.js';
import { isOwn, literal, qualified } from '../tables/identifiers.js';
import { type Maker, makerComment, readMaker } from '../tables/table-shape.js';
import { RECORD_TABLES, recordsExist } from './records.js';

/**
 * The statements, in order, to be executed in one transaction. Tables that the job made stay, and no longer count as
 * made for a generation: the job may begin anew with the first.
 */
export async function cleaning(session: Session, job: string): Promise<string[]> {
  const what = `look for what is left of ${job}`;
  const found = await session.rows(
    `SELECT schema_name, table_name, comment FROM duckdb_tables()
     WHERE database_name = current_database() AND comment IS NOT NULL ORDER BY ALL`,
    what,
  );
  const tables = found.flatMap((row) => {
    const maker = readMaker(row['comment'] as string);
    const name = { schema: row['schema_name'] as string, table: row['table_name'] as string };
    return maker?.job === job ? [{ name, maker }] : [];
  });
  const dropped = tables
    .filter(({ name }) => isOwn(name.table))
    .map(({ name }) => `DROP TABLE ${qualified(name)}`);
  const unmarked = tables
    .filter(({ name, maker }) => !isOwn(name.table) && maker.generation !== 0)
    .map(({ name, maker }) => {
      const comment: Maker = { ...maker, generation: 0 };
      return `COMMENT ON TABLE ${qualified(name)} IS ${literal(makerComment(comment))}`;
    });
  return [...dropped, ...unmarked, ...(await recordStatements(session, job, what))];
}

async function recordStatements(session: Session, job: string, what: string): Promise<string[]> {
  if (!(await recordsExist(session))) return [];
  const jobs = await session.rows('SELECT job FROM main._sluice_jobs', what);
  if (jobs.every((row) => row['job'] === job)) {
    return [...RECORD_TABLES, '_sluice_identity'].map((table) => `DROP TABLE main.${table}`);
  }
  if (jobs.every((row) => row['job'] !== job)) return [];
  return RECORD_TABLES.map((table) => `DELETE FROM main.${table} WHERE job = ${literal(job)}`);
}
