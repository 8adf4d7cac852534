/** Makes target and staging tables fit the plan: actual → wanted, so that repeating is harmless. */
import { failpoint, isGenerational, type SinkJob, type TablePlan } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, literal, qualified } from '../quote.js';
import { underFence } from './fence.js';
import type { RecordTables } from './record-tables.js';
import { detailOf, stagingName, stagingPrefix, type TableDetail } from './table-detail.js';
import { alterations, createStaging, createTable, markStaging } from './table-sql.js';
import { findTarget, type Target } from './target.js';

export interface SchemaChangeRequest {
  readonly session: Session;
  readonly tables: RecordTables;
  readonly job: SinkJob;
  readonly table: TablePlan;
  readonly generation: number;
}

export async function applySchema(request: SchemaChangeRequest): Promise<void> {
  const { session, tables, job, table } = request;
  await createSchemaIfMissing(session, detailOf(table).schema);
  await underFence(session, tables, job, async () => {
    await session.rows(
      `INSERT INTO ${tables.streams} (job, stream, generation, published) VALUES ($1, $2, $3, false)
       ON CONFLICT (job, stream) DO NOTHING`,
      [job.id, table.stream, String(request.generation)],
    );
    if (detailOf(table).save === 'fail') await refuseForeign(request);
    if (isGenerational(table.write)) await applyStaging(request);
    else await applyTarget(request);
    failpoint('postgres.apply-schema.before');
  });
}

/** The plan could not know which job it was made for: a table of another job is in the way as well. */
async function refuseForeign({ session, tables, job, table }: SchemaChangeRequest): Promise<void> {
  const target = await findTarget(session, detailOf(table));
  if (target === undefined) return;
  const sql = `SELECT target = $3::oid FROM ${tables.streams} WHERE job = $1 AND stream = $2`;
  const [row] = await session.rows(sql, [job.id, table.stream, String(target.oid)]);
  if (row?.[0] !== 't') {
    throw pgErrors.targetExists(`${table.target} is there already`, { details: { target: table.target } });
  }
}

/** Outside of the transaction, and only when it is missing: the right to create schemas is rare. */
async function createSchemaIfMissing(session: Session, schema: string): Promise<void> {
  const found = await session.rows('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema]);
  if (found.length === 0) await session.query(`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`);
}

async function applyStaging({ session, tables, job, table, generation }: SchemaChangeRequest): Promise<void> {
  const detail = detailOf(table);
  const wanted = stagingName(job.id, table, generation);
  for (const name of await stagingTables(session, job.id, table)) {
    if (name !== wanted.table)
      await session.query(`DROP TABLE ${qualified({ schema: detail.schema, table: name })}`);
  }
  if (await isPublished(session, tables, job.id, table.stream, generation)) return;
  const staging = await findTarget(session, wanted);
  if (staging === undefined) {
    const create = detail.keyed ? createTable({ ...detail, ...wanted }) : createStaging(detail, wanted);
    await session.query(`${create}; ${markStaging(wanted, job.id)}`);
  } else await makeFit(session, { ...detail, ours: true }, staging);
}

/** Staging tables of all generations of a stream. */
export async function stagingTables(session: Session, job: string, table: TablePlan): Promise<string[]> {
  const prefix = stagingPrefix(job, table);
  const rows = await session.rows(
    `SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND pg_catalog.starts_with(c.relname, $2) AND c.relkind = 'r'`,
    [detailOf(table).schema, prefix],
  );
  return rows.map(([name]) => name!).filter((name) => /^\d+$/.test(name.slice(prefix.length)));
}

async function isPublished(
  session: Session,
  tables: RecordTables,
  job: string,
  stream: string,
  generation: number,
): Promise<boolean> {
  const sql = `SELECT published FROM ${tables.streams} WHERE job = $1 AND stream = $2 AND generation = $3`;
  const [row] = await session.rows(sql, [job, stream, String(generation)]);
  return row?.[0] === 't';
}

async function applyTarget({ session, tables, job, table, generation }: SchemaChangeRequest): Promise<void> {
  const detail = detailOf(table);
  let target = await findTarget(session, detail);
  if (
    target !== undefined &&
    detail.save === 'recreate' &&
    !(await isMade(session, tables, job.id, table.stream, generation))
  ) {
    await session.query(`DROP TABLE ${qualified(detail)}`);
    target = undefined;
  }
  if (target !== undefined) {
    await fillColumns({ session, tables, job, table, generation }, target);
    await makeFit(session, detail, target);
    return;
  }
  await session.query(createTable(detail));
  await recordCreated(session, tables, job.id, table, generation);
}

/**
 * Remembers the columns that the target is about to get with a value for the rows that are there. Throws
 * `SLUICE-PG-0020` where one has come since that was planned: nobody knows what is in it.
 */
async function fillColumns(
  { session, tables, job, table }: SchemaChangeRequest,
  target: Target,
): Promise<void> {
  const { columns } = detailOf(table);
  const ids = columns.flatMap(({ name, fill }) => (fill === undefined ? [] : [[name, fill.id] as const]));
  if (ids.length === 0) return;
  const [row] = await session.rows(`SELECT filled FROM ${tables.streams} WHERE job = $1 AND stream = $2`, [
    job.id,
    table.stream,
  ]);
  const before = JSON.parse(row?.[0] ?? '{}') as { [column: string]: string };
  const there = new Set(target.columns.map(({ name }) => name));
  const taken = ids.find(([name, id]) => there.has(name) && before[name] !== id);
  if (taken !== undefined) {
    throw pgErrors.schemaDrift(`${table.target} has got a column ${taken[0]} since it was planned`, {
      details: { target: table.target },
    });
  }
  await session.rows(
    `UPDATE ${tables.streams} SET filled = COALESCE(filled, '{}') || $3::jsonb WHERE job = $1 AND stream = $2`,
    [job.id, table.stream, JSON.stringify(Object.fromEntries(ids))],
  );
}

/** Whether the target was created anew for this generation already. */
async function isMade(
  session: Session,
  tables: RecordTables,
  job: string,
  stream: string,
  generation: number,
): Promise<boolean> {
  const sql = `SELECT made = $3 FROM ${tables.streams} WHERE job = $1 AND stream = $2`;
  const [row] = await session.rows(sql, [job, stream, String(generation)]);
  return row?.[0] === 't';
}

/** Remembers that the target is ours, and which columns it got from us. */
export async function recordCreated(
  session: Session,
  tables: RecordTables,
  job: string,
  table: TablePlan,
  generation: number,
): Promise<void> {
  const detail = detailOf(table);
  await session.rows(
    `UPDATE ${tables.streams} SET target = ${literal(qualified(detail))}::regclass::oid, target_columns = $3, made = $4, filled = NULL
     WHERE job = $1 AND stream = $2`,
    [job, table.stream, JSON.stringify(detail.columns.map((column) => column.name)), String(generation)],
  );
}

/** Makes a table fit. Throws `SLUICE-PG-0029` where a column of a table that is not ours has another type. */
export async function makeFit(session: Session, detail: TableDetail, actual: Target): Promise<void> {
  const statements = alterations(detail, actual);
  if (statements.length > 0) await session.query(statements.join('; '));
}
