/** A whole delivery of one stream, as most rules begin. */
import type { Row, StreamSchema, TablePlan } from '@sluice/sdk';
import { splitOf } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

export interface DeliverOptions {
  readonly job?: string;
  readonly generation?: number;
}

/** Writes rows as one sealed epoch in a run of its own and, where the mode has generations, publishes them. */
export async function deliver(
  session: SinkSession,
  schema: StreamSchema,
  rows: readonly Row[],
  { job, generation = 1 }: DeliverOptions = {},
): Promise<TablePlan> {
  const run = await session.run(job === undefined ? {} : { job });
  const split = splitOf(schema.stream);
  const table = await run.begin(schema, { generation, splits: [split] });
  const lane = await run.lane(table, { split, generation });
  if (rows.length > 0) await lane.write(rows);
  await lane.commit({ sealed: session.usesGenerations });
  await run.closeLane(lane);
  if (session.usesGenerations) await run.publish(table, generation, true);
  await session.crash();
  return table;
}
