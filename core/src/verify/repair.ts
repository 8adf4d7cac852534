/**
 * Writes what differs into a target through the sink's own writer: an epoch of a split of its own for each group of rows,
 * under the job's lease.
 *
 * | step that is interrupted | what the next verify finds |
 * |---|---|
 * | before the sink has committed | the same differences |
 * | sink committed, ledger not | the sink's record of the split, which the ledger takes over; nothing differs |
 *
 * Rows are those that the source has now. Where a log has older changes of them still to come, these are applied
 * again behind them, and the newest ones last: what is written by key ends as the source is.
 */
import {
  Batch,
  type Field,
  failpoint,
  formatDecimal,
  parseDecimal,
  type Row,
  type StreamSchema,
  type TablePlan,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { FlowPlan, SinkPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { commitEpoch, versionOf } from '../run/commit-epoch.js';
import type { LeaseKeeper } from '../run/lease-keeper.js';
import { sinkJobOf } from '../run/settle.js';
import { settling } from '../state/hold-job.js';
import { repairSplit } from './repair-split.js';
import { counterpart } from './value-form.js';

export interface RepairOptions {
  readonly job: JobPlan;
  readonly flow: FlowPlan;
  readonly sink: SinkPlan;
  /** The stream as it is read, and the table that is repaired. */
  readonly stream: string;
  readonly table: TablePlan;
  readonly ledger: Ledger;
  readonly keeper: LeaseKeeper;
}

/** Throws `SLUICE-CORE-0152` where a target can only be made anew. */
export function requireRepairable({ table }: Pick<RepairOptions, 'table'>): void {
  if (table.write === 'upsert') return;
  throw coreErrors.verifyRefused(
    `${table.target} has write mode ${table.write}, and only targets of write mode upsert are repaired: run the job to make it anew`,
  );
}

/** Writes the batches, in order, as one epoch. Returns how many rows they are. */
export async function repair(o: RepairOptions, batches: AsyncIterable<Batch>): Promise<number> {
  const { flow, sink, stream, table, ledger, keeper } = o;
  const { context } = settling(flow, o.job, ledger, keeper);
  const { lease } = keeper;
  const state = await ledger.flow(flow.key);
  const generation = state.streams[stream]?.generation;
  if (generation === undefined)
    throw coreErrors.verifyRefused(`stream ${stream} has never been written: run the job`);
  const split = repairSplit(stream, table.stream);
  await ledger.addSplits(lease, flow.key, [{ split, generation }]);
  const { positions = {}, published = {} } = state.sinks[sink.key.sink] ?? {};
  const { epoch = 0, position = 0 } = positions[split.id] ?? {};
  const job = sinkJobOf({ plan: flow, keeper }, sink);
  const place = { split, generation, epoch, position, sealed: false };
  const isPublished = (published[stream]?.generation ?? 0) >= generation;
  const record = {
    streams: { [stream]: { generation, published: isPublished } },
    splits: { [split.id]: place },
  };
  await sink.sink.adopt(job, record, context);
  await sink.sink.applySchema(job, table, generation, context);
  const writer = await sink.sink.open({ job, split, generation, tables: [table] }, context);
  let rows = 0;
  let bytes = 0;
  try {
    for await (const batch of batches) {
      rows += batch.rowCount;
      bytes += batch.byteSize;
      await writer.write(batch);
    }
    const number = epoch + 1;
    const { fence } = lease;
    failpoint('repair.before-commit');
    await commitEpoch(
      { ledger, lease, key: sink.key },
      writer,
      {
        split,
        number,
        generation,
        fence,
        version: versionOf(fence, number),
        position: number,
        sealed: false,
      },
      { rows, bytes },
    );
    failpoint('repair.after-commit');
  } catch (error) {
    await writer.abort().catch(() => {});
    throw error;
  } finally {
    await writer.close();
  }
  return rows;
}

/** Rows of the target as deletes by key, in the shape in which rows arrive there. */
export function deletesOf(schema: StreamSchema, found: Batch): Batch {
  const keys = schema.key.map((name) => ({
    field: schema.fields.find((field) => field.name === name)!,
    held: counterpart(name, found.schema.fields)!,
  }));
  const others = schema.fields.filter(({ name }) => !schema.key.includes(name));
  const rows = found.rows().map((row): Row => {
    const made: Row = {};
    for (const { field, held } of keys) made[field.name] = keyValue(field, held, row[held.name] ?? null);
    for (const { name } of others) made[name] = UNCHANGED;
    return made;
  });
  return Batch.ofRows(schema, rows, { op: 'delete' });
}

/** A key's value in the type in which it arrives: the target may hold a wider one. */
function keyValue({ type }: Field, held: Field, value: Value): Value {
  if (
    type.kind === 'int' &&
    (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string')
  ) {
    return type.bits === 64 ? BigInt(value) : Number(value);
  }
  if (type.kind === 'decimal' && type.scale !== undefined && typeof value === 'string') {
    const unscaled = parseDecimal(value, type.scale);
    return unscaled === undefined ? value : formatDecimal(unscaled, type.scale);
  }
  if (type.kind === 'timestamp' && held.type.kind === 'timestamp' && typeof value === 'bigint') {
    return type.unit === 'ns' && held.type.unit === 'us' ? value * 1000n : value;
  }
  return value;
}
