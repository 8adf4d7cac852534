/**
 * Writes an epoch's rows one after another, in the order in which the source has changed them, over all its tables. Set by
 * set is faster, and fails where the target has constraints that look at several rows: a value of a unique column that
 * one row gives up and another takes, a row that others refer to. What the source did in an order, the target can do in
 * that order too.
 */
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { qualified } from '../quote.js';
import { ABSENT_COLUMN, OP_COLUMN, ORDER_COLUMN } from './op-column.js';
import { conflictClause, insertColumns, partialSet, sameKey, type Upsert } from './upsert-sql.js';

/** A unique column, foreign keys, an exclusion constraint. */
const OF_SEVERAL_ROWS = ['23505', '23503', '23001', '23P01'];

/** Whether the server refused a statement for what other rows are there. */
export function isOrderError(error: unknown): boolean {
  return OF_SEVERAL_ROWS.some((state) => hasState(error, state));
}

const ROW = '_sluice_row';

/** Inside the epoch's transaction. The temporary tables take their order from one sequence. */
export async function applyInOrder(
  session: Session,
  upserts: readonly Upsert[],
  doing: string,
): Promise<void> {
  const rows = upserts.map(({ from }, i) => {
    const columns = upserts.map((other, j) => `${i === j ? 'b' : `NULL::${other.from}`} AS b${j}`);
    return `SELECT ${i} AS place, b.${ORDER_COLUMN} AS number, ${columns.join(', ')} FROM ${from} AS b`;
  });
  const cases = upserts.map((upsert, i) => `WHEN ${i} THEN ${statements(upsert, `(${ROW}.b${i}).`)}`);
  await session.query(
    `DO $sluice$
     #variable_conflict use_variable
     DECLARE ${ROW} record;
     BEGIN
       FOR ${ROW} IN ${rows.join(' UNION ALL ')} ORDER BY number LOOP
         CASE ${ROW}.place ${cases.join('\n')} END CASE;
       END LOOP;
     END $sluice$`,
    undefined,
    doing,
  );
}

function statements({ destination, detail }: Upsert, row: string): string {
  const table = qualified(destination);
  const same = sameKey(detail, row);
  const sets = partialSet(detail, row);
  return `
    IF ${row}${OP_COLUMN} = 1 THEN DELETE FROM ${table} AS t WHERE ${same};
    ELSIF ${row}${ABSENT_COLUMN} IS NULL THEN ${insertColumns(destination, detail, row)} ${conflictClause(detail)};
    ${sets === undefined ? '' : `ELSE UPDATE ${table} AS t SET ${sets} WHERE ${same};`}
    END IF;`;
}
