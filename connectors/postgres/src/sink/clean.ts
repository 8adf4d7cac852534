/** Removes what the sink keeps of a job: its record and its staging tables, in one transaction. */
import { failpoint } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { literal, qualified } from '../quote.js';
import type { RecordTables } from './record-tables.js';
import { stagingMark } from './table-sql.js';

/** The statements, in order; they are executed where `certain`. */
export async function clean(
  session: Session,
  tables: RecordTables,
  job: string,
  certain: boolean,
): Promise<string[]> {
  if (!(await tables.exist(session))) return [];
  if (!certain) return statementsFor(session, tables, job);
  try {
    // Nobody attaches meanwhile, so that the tables stay without other jobs; epochs of this one that are landing come first.
    await session.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
    await session.query(
      `LOCK TABLE ${tables.jobs} IN SHARE ROW EXCLUSIVE MODE;
       SELECT FROM ${tables.jobs} WHERE job = ${literal(job)} FOR UPDATE`,
      undefined,
      `cleaning up after ${job}: waiting for commits of an earlier run`,
    );
    const statements = await statementsFor(session, tables, job);
    for (const sql of statements) await session.query(sql, undefined, `cleaning up after ${job}`);
    failpoint('postgres.clean.before');
    await session.commit();
    failpoint('postgres.clean.after');
    return statements;
  } catch (error) {
    await session.rollback();
    throw error;
  }
}

async function statementsFor(session: Session, tables: RecordTables, job: string): Promise<string[]> {
  const staging = (await session.rows(
    `SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relname ~ '^_sluice_[0-9a-f]+_g[0-9]+$'
       AND pg_catalog.obj_description(c.oid, 'pg_class') = $1 ORDER BY 1, 2`,
    [stagingMark(job)],
  )) as string[][];
  const dropped = staging.map(
    ([schema, table]) => `DROP TABLE ${qualified({ schema: schema!, table: table! })}`,
  );
  const [held] = await session.rows(
    `SELECT EXISTS (SELECT FROM ${tables.jobs} WHERE job = $1), EXISTS (SELECT FROM ${tables.jobs} WHERE job <> $1)`,
    [job],
  );
  const [known, others] = held!.map((answer) => answer === 't');
  const all = [tables.commits, tables.streams, tables.jobs];
  if (!others) return [...dropped, ...all.map((table) => `DROP TABLE ${table}`)];
  if (!known) return dropped;
  return [...dropped, ...all.map((table) => `DELETE FROM ${table} WHERE job = ${literal(job)}`)];
}
