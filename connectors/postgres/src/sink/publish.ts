/** Makes a full copy visible, whole; see docs/design/postgres-commit.md. */
import { failpoint, isGenerational, type PublishOptions, type TablePlan } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, qualified, type TableName } from '../quote.js';
import { makeFit, recordCreated, type SchemaChangeRequest } from './apply-schema.js';
import { underFence } from './fence.js';
import { hungOn } from './hung-on.js';
import { mergeFrom } from './merge-sql.js';
import { detailOf, stagingName } from './table-detail.js';
import { addKey, columnList, columnNames } from './table-sql.js';
import { findTarget, type Target } from './target.js';

export async function publish(request: SchemaChangeRequest, options: PublishOptions): Promise<void> {
  const { session, tables, job, table } = request;
  const done = await underFence(session, tables, job, async () => {
    const state = await streamState(request);
    if (state.published) return false;
    // Rows of other write modes were visible with their commits.
    if (isGenerational(table.write)) await publishStaging(request, state, options);
    await session.query(`UPDATE ${tables.streams} SET published = true WHERE job = $1 AND stream = $2`, [
      job.id,
      table.stream,
    ]);
    failpoint('postgres.publish.before');
    return true;
  });
  if (done) failpoint('postgres.publish.after');
}

interface StreamState {
  readonly published: boolean;
  /** Number and columns of the target that we created. */
  readonly created: number | undefined;
  readonly createdColumns: readonly string[];
}

/** Locks the stream's row, so that two publications of it follow each other. */
async function streamState({
  session,
  tables,
  job,
  table,
  generation,
}: SchemaChangeRequest): Promise<StreamState> {
  const [row] = await session.rows(
    `SELECT generation, published, target, target_columns FROM ${tables.streams}
     WHERE job = $1 AND stream = $2 FOR UPDATE`,
    [job.id, table.stream],
  );
  if (row === undefined) {
    throw pgErrors.recordMissing(`the record of ${table.stream} in job ${job.id} is gone`, {
      details: { stream: table.stream },
    });
  }
  const [found, published, target, columns] = row;
  if (Number(found) !== generation) {
    throw pgErrors.staleGeneration(
      `${table.stream}: the target is in generation ${found}, not in ${generation}`,
      {
        details: { stream: table.stream, generation: Number(found), ours: generation },
      },
    );
  }
  return {
    published: published === 't',
    created: target === null ? undefined : Number(target),
    createdColumns: columns === null ? [] : (JSON.parse(columns!) as string[]),
  };
}

async function publishStaging(
  { session, tables, job, table, generation }: SchemaChangeRequest,
  state: StreamState,
  options: PublishOptions,
): Promise<void> {
  const detail = detailOf(table);
  const staging = await findTarget(session, stagingName(job.id, table, generation));
  if (staging === undefined) {
    throw pgErrors.stagingMissing(`${table.target}: the staging table of generation ${generation} is gone`, {
      details: { stream: table.stream, generation },
    });
  }
  const target = await lockTarget(session, detail, table);
  if (target !== undefined && !options.allowEmpty) await refuseEmpty(session, staging, target);
  if (target !== undefined && table.write === 'mirror' && detail.save !== 'recreate') {
    await merge(session, table, staging, target);
    return;
  }
  const reasons = target === undefined ? [] : await whyRefill(session, target, state);
  if (target !== undefined && reasons.length > 0 && detail.save !== 'recreate') {
    await refill(session, table, staging, target);
    return;
  }
  if (detail.key.length > 0 && !detail.keyed)
    await session.query(addKey(staging, detail.key), undefined, `building the key of ${table.target}`);
  if (target !== undefined)
    await session.query(`DROP TABLE ${qualified(target)}`, undefined, `replacing ${table.target}`);
  await session.query(
    `COMMENT ON TABLE ${qualified(staging)} IS NULL; ALTER TABLE ${qualified(staging)} RENAME TO ${ident(detail.table)}`,
  );
  await renameKey(session, detail);
  await recordCreated(session, tables, job.id, table, generation);
}

/** Nobody may hang anything on the target between the check and the swap. Readers are not kept out yet. */
async function lockTarget(session: Session, name: TableName, table: TablePlan): Promise<Target | undefined> {
  const target = await findTarget(session, name);
  if (target === undefined) return undefined;
  const sql = `LOCK TABLE ${qualified(name)} IN SHARE ROW EXCLUSIVE MODE`;
  await session.query(sql, undefined, `publishing ${table.target}`);
  return findTarget(session, name);
}

async function refuseEmpty(session: Session, staging: Target, target: Target): Promise<void> {
  const [row] = await session.rows(
    `SELECT EXISTS (SELECT FROM ${qualified(staging)}), EXISTS (SELECT FROM ${qualified(target)})`,
  );
  if (row![0] === 'f' && row![1] === 't') {
    throw pgErrors.emptyReplace(
      `${qualified(target)} has rows, and the full copy that would replace it has none`,
    );
  }
}

async function whyRefill(session: Session, target: Target, state: StreamState): Promise<string[]> {
  if (state.created !== target.oid) return ['the table was not created by this job'];
  const hung = await hungOn(session, [{ target, columns: state.createdColumns }]);
  return [...hung.get(target.oid)!];
}

async function merge(session: Session, table: TablePlan, staging: Target, target: Target): Promise<void> {
  const detail = detailOf(table);
  const doing = `merging into ${table.target}`;
  await makeFit(session, detail, target);
  await session.query(`ANALYZE ${qualified(staging)}`, undefined, doing);
  for (const sql of mergeFrom(staging, detail)) await session.query(sql, undefined, doing);
  await session.query(`DROP TABLE ${qualified(staging)}`, undefined, doing);
}

async function refill(session: Session, table: TablePlan, staging: Target, target: Target): Promise<void> {
  const detail = detailOf(table);
  const doing = `refilling ${table.target}`;
  await makeFit(session, detail, target);
  const names = detail.columns.map((column) => column.name);
  await session.query(`DELETE FROM ${qualified(target)}`, undefined, doing);
  await session.query(
    `INSERT INTO ${qualified(target)}${columnList(names)} OVERRIDING SYSTEM VALUE SELECT ${columnNames(names)} FROM ${qualified(staging)}`,
    undefined,
    doing,
  );
  await session.query(`DROP TABLE ${qualified(staging)}`, undefined, doing);
}

/** The key is called as if the table had been created with it. */
async function renameKey(session: Session, name: TableName): Promise<void> {
  const [row] = await session.rows(
    `SELECT k.conname FROM pg_catalog.pg_constraint k
     JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'p' AND n.nspname = $1 AND c.relname = $2`,
    [name.schema, name.table],
  );
  const wanted = `${name.table.slice(0, 40)}_pkey`;
  if (row === undefined || row[0] === wanted) return;
  const [taken] = await session.rows(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [name.schema, wanted],
  );
  if (taken === undefined) {
    await session.query(
      `ALTER TABLE ${qualified(name)} RENAME CONSTRAINT ${ident(row[0]!)} TO ${ident(wanted)}`,
    );
  }
}
