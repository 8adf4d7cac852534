/** Transactions that have written to tables: who they are, and that they have ended. */
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { literal, qualified, streamName, type TableName } from '../quote.js';

/** How often, and after how many milliseconds each, it is looked whether they have ended. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 200;

/** Waits until those that have written to the tables so far have ended. Throws `SLUICE-PG-0060` where that takes long. */
export async function writersEnded(session: Session, tables: readonly TableName[]): Promise<void> {
  const first = new Set((await writersOf(session, tables)).keys());
  for (let attempt = 1; first.size > 0; attempt++) {
    const now = await writersOf(session, tables);
    const left = [...first].filter((each) => now.has(each));
    if (left.length === 0) return;
    if (attempt === ATTEMPTS) {
      const who = left.map((each) => now.get(each)).join(', ');
      throw pgErrors.writersOpen(
        `transactions are open that have written to ${tables.map(streamName).join(', ')}: ${who}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
  }
}

/** By transaction, whose it is. */
async function writersOf(session: Session, tables: readonly TableName[]): Promise<Map<string, string>> {
  const roots = tables.map((table) => `${literal(qualified(table))}::pg_catalog.regclass`).join(', ');
  const rows = await session.rows(
    `SELECT DISTINCT l.virtualtransaction, COALESCE('process ' || l.pid, 'a prepared transaction')
     FROM pg_catalog.pg_locks l
     JOIN (SELECT r.oid FROM pg_catalog.unnest(ARRAY[${roots}]) AS r (oid)
           UNION SELECT t.relid FROM pg_catalog.unnest(ARRAY[${roots}]) AS r (oid), pg_catalog.pg_partition_tree(r.oid) t
          ) AS tree ON tree.oid = l.relation
     WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`,
    undefined,
    'listing transactions that write',
  );
  return new Map(rows.map(([id, who]) => [id!, who!]));
}
