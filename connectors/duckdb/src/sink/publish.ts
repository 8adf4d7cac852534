/** How a generation becomes visible: one transaction that swaps or refills the target. */
import type { PublishOptions, SinkJob, TablePlan } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { alterStatements } from '../tables/converge.js';
import { folded, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { swapObstacle } from '../tables/swap.js';
import { hasRows, loadIndexes, readShape, type TableColumn, type TableShape } from '../tables/table-shape.js';
import { stagingTable, targetOf, wantedColumns } from '../tables/target.js';
import { readRecord, writeStream } from './records.js';

/** Publishes a generation; to be called in a transaction. A no-op when that has been done. */
export async function publishGeneration(
  session: Session,
  job: SinkJob,
  plan: TablePlan,
  generation: number,
  options: PublishOptions,
): Promise<void> {
  const held = (await readRecord(session, job.id))?.streams[plan.stream];
  if (held?.generation === generation && held.published) return;
  const details = { stream: plan.stream, generation };
  if (held !== undefined && held.generation > generation) {
    throw duckdbErrors.generationPassed(
      `${plan.stream}: generation ${held.generation} has replaced ${generation}`,
      {
        details,
      },
    );
  }
  const staging = stagingTable(job, plan, generation);
  const loaded = await readShape(session, staging);
  if (loaded === undefined) {
    throw duckdbErrors.generationLost(`${plan.stream}: the table of generation ${generation} is gone`, {
      details,
    });
  }
  const target = targetOf(plan);
  const shape = await readShape(session, target);
  if (shape !== undefined && !options.allowEmpty) await requireRows(session, plan, qualified(staging));
  if (shape === undefined) {
    if (target.save === 'require')
      throw duckdbErrors.tableMissing(`${plainName(target)} is not there`, { details });
    await rename(session, plan, staging, undefined);
  } else if (plan.write === 'mirror' && target.save !== 'recreate') {
    await merge(session, plan, staging, loaded);
  } else if (
    swapObstacle(
      shape,
      loaded.columns.map((column) => column.name),
      target.save,
    ) === undefined
  ) {
    await rename(session, plan, staging, shape);
  } else {
    await refill(session, plan, qualified(staging), loaded);
  }
  await writeStream(session, job.id, plan.stream, generation, true);
}

/** A source that is empty by accident must not empty the target. */
async function requireRows(session: Session, plan: TablePlan, staging: string): Promise<void> {
  if (await hasRows(session, staging)) return;
  if (!(await hasRows(session, qualified(targetOf(plan))))) return;
  throw duckdbErrors.emptyReplace(`${plan.target} has rows, the new generation none`, {
    details: { stream: plan.stream },
  });
}

async function rename(
  session: Session,
  plan: TablePlan,
  staging: { schema: string; table: string },
  shape: TableShape | undefined,
): Promise<void> {
  const target = targetOf(plan);
  const what = `show ${plan.target}`;
  if (shape !== undefined) await session.run(`DROP TABLE ${qualified(target)}`, what);
  await session.run(`ALTER TABLE ${qualified(staging)} RENAME TO ${quote(target.table)}`, what);
}

async function refill(session: Session, plan: TablePlan, staging: string, loaded: TableShape): Promise<void> {
  const target = qualified(targetOf(plan));
  const columns = loaded.columns.map((column) => quote(column.name)).join(', ');
  const what = `refill ${plan.target}`;
  await loadIndexes(session, target, columns);
  await session.run(`DELETE FROM ${target}`, what);
  await session.run(`INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${staging}`, what);
  await session.run(`DROP TABLE ${staging}`, what);
}

/** Deletes what the generation lacks, writes what differs in it, and adds what is new. */
async function merge(
  session: Session,
  plan: TablePlan,
  staging: TableName,
  loaded: TableShape,
): Promise<void> {
  const name = targetOf(plan);
  const [target, from] = [qualified(name), qualified(staging)];
  const what = `merge into ${plan.target}`;
  for (const sql of await alterStatements(
    session,
    name,
    (await readShape(session, name))!,
    wantedColumns(plan.schema),
  )) {
    await session.run(sql, what);
  }
  const { key } = plan.schema;
  const columns = loaded.columns.map((column) => quote(column.name));
  const list = columns.join(', ');
  const rest = loaded.columns.filter((column) => !key.some((part) => folded(part) === folded(column.name)));
  const same = key.map((part) => `t.${quote(part)} = s.${quote(part)}`).join(' AND ');
  await loadIndexes(session, target, list);
  await session.run(
    `DELETE FROM ${target} AS t WHERE NOT EXISTS (SELECT 1 FROM ${from} AS s WHERE ${same})`,
    what,
  );
  if (rest.length > 0) {
    const sets = rest.map((column) => `${quote(column.name)} = s.${quote(column.name)}`).join(', ');
    await session.run(
      `UPDATE ${target} AS t SET ${sets} FROM ${from} AS s WHERE ${same} AND (${rest.map(differs).join(' OR ')})`,
      what,
    );
  }
  await session.run(
    `INSERT INTO ${target} (${list}) SELECT ${list} FROM ${from} AS s
     WHERE NOT EXISTS (SELECT 1 FROM ${target} AS t WHERE ${same})`,
    what,
  );
  await session.run(`DROP TABLE ${from}`, what);
}

/** Values that are equal to DuckDB may look different: 0 and -0, a month and thirty days. */
function differs({ name, type }: TableColumn): string {
  const looks = /FLOAT|DOUBLE|INTERVAL/.test(type);
  const [old, now] = ['t', 's'].map((table) => {
    const column = `${table}.${quote(name)}`;
    return looks ? `CAST(${column} AS VARCHAR)` : column;
  });
  return `${old} IS DISTINCT FROM ${now}`;
}
