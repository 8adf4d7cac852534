/** How a generation becomes visible: one transaction that swaps or refills the target. */
import type { PublishOptions, SinkJob, TablePlan } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { plainName, qualified, quote } from '../tables/identifiers.js';
import { swapObstacle } from '../tables/swap.js';
import { hasRows, loadIndexes, readShape, type TableShape } from '../tables/table-shape.js';
import { stagingTable, targetOf } from '../tables/target.js';
import { readRecord, writeStream } from './records.js';

/** Publishes a generation of a `replace`; to be called in a transaction. A no-op when that has been done. */
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
