/** Tables of generations that have not been shown. */
import type { SinkJob, TablePlan } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { folded, foldedSql, qualified } from '../tables/identifiers.js';
import { stagingPrefix, stagingTable, targetOf } from '../tables/target.js';

/** Drops what other generations of the stream have left. */
export async function dropOtherStagings(
  session: Session,
  job: SinkJob,
  plan: TablePlan,
  generation: number,
): Promise<void> {
  const { schema } = targetOf(plan);
  const keep = folded(stagingTable(job, plan, generation).table);
  const what = `clean up after ${plan.stream}`;
  const found = await session.rows(
    `SELECT schema_name, table_name FROM duckdb_tables()
     WHERE database_name = current_database() AND ${foldedSql('schema_name')} = ${foldedSql('$1')} AND starts_with(table_name, $2)`,
    what,
    [schema, stagingPrefix(job, plan)],
  );
  for (const row of found) {
    const name = { schema: row['schema_name'] as string, table: row['table_name'] as string };
    if (folded(name.table) !== keep) await session.run(`DROP TABLE ${qualified(name)}`, what);
  }
}
