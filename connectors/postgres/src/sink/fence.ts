/** The fence of a job: who of several runs may write. */
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { literal } from '../quote.js';
import type { RecordTables } from './record-tables.js';

/** The statement that holds the job's fence in share mode until the transaction ends, and reads it. */
export function holdFence(tables: RecordTables, job: string): string {
  return `SELECT fence FROM ${tables.jobs} WHERE job = ${literal(job)} FOR SHARE`;
}

/** Throws `SLUICE-PG-0024` when the fence that {@link holdFence} read is not ours. */
export function checkFence(rows: readonly (readonly (string | null)[])[], job: string, fence: bigint): void {
  const found = rows[0]?.[0];
  if (found === undefined || found === null) {
    throw pgErrors.recordMissing(`the record of ${job} is not there any more`, { details: { job } });
  }
  if (BigInt(found) !== fence) {
    throw pgErrors.fenced(`another run of ${job} has taken over: its fence is ${found}, ours is ${fence}`, {
      details: { job, fence: found, ours: fence.toString() },
    });
  }
}

/** Runs `work` in a transaction of its own in which the fence is held; rolls back when it fails. */
export async function underFence<T>(
  session: Session,
  tables: RecordTables,
  job: { readonly id: string; readonly fence: bigint },
  work: () => Promise<T>,
): Promise<T> {
  try {
    const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`;
    const { rows } = await session.query(`${begin}; ${holdFence(tables, job.id)}`);
    checkFence(rows, job.id, job.fence);
    const result = await work();
    await session.commit();
    return result;
  } catch (error) {
    await session.rollback();
    throw error;
  }
}
