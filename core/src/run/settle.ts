/**
 * The first part of an attempt: raises the fence in every sink, recovers staged epochs, and brings the ledger and the
 * sinks to one account of what is committed.
 */
import { type Context, failpoint, type SinkJob, type SinkRecord, type SplitRecord } from '@sluice/sdk';
import type { Ledger } from '../ledger/ledger.js';
import type { FlowPlan, SinkPlan } from '../plan/flow-plan.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { LiveSinks } from './live-sinks.js';
import { checkIdentities, type Reconciled, reconcile, type StreamStart } from './reconcile.js';

export interface Settling {
  readonly plan: FlowPlan;
  readonly ledger: Ledger;
  readonly keeper: Pick<LeaseKeeper, 'lease' | 'raise'>;
  readonly context: Context;
  readonly sinks: LiveSinks;
  /** A later attempt of the same run: a generation that the first one began is resumed. */
  readonly retried: boolean;
}

/** How this run presents itself to a sink: with its fence as it is now. */
export function sinkJobOf({ plan, keeper }: Pick<Settling, 'plan' | 'keeper'>, sink: SinkPlan): SinkJob {
  return { id: sink.sinkJob, source: plan.sourceIdentity, fence: keeper.lease.fence };
}

/** Where each stream stands, and in which sinks something is to be done. */
export async function settle(s: Settling): Promise<readonly StreamStart[]> {
  const settled = await takeStock(s);
  for (const { action, stream, generation } of settled.streams) {
    if (action === 'begin') await s.ledger.startGeneration(s.keeper.lease, s.plan.key, stream, generation);
  }
  failpoint('settle.after-begin');
  return settled.streams;
}

/** The account by itself: after it the ledger knows all that is committed, and no generation has begun. */
export async function takeStock(s: Settling): Promise<Reconciled> {
  const { plan, ledger, keeper } = s;
  const { key } = plan;
  const known = await ledger.flow(key);
  await s.sinks.each(async ({ key: { sink }, identity }) => {
    checkIdentities(known.sinks[sink], { source: plan.sourceIdentity, target: identity });
  });
  const records = await attachAll(s);
  failpoint('attach.after');
  await s.sinks.each((sink) => recoverPrepared(s, sink, records));
  const settled = await reconcileAll(s, records);
  const { lease } = keeper;
  await s.sinks.each(({ key: sinkKey, identity }) =>
    ledger.registerSink(lease, sinkKey, { source: plan.sourceIdentity, target: identity }),
  );
  await adopt(s, settled);
  failpoint('settle.after-adopt');
  return settled;
}

/** The sinks' records. The fence ends up higher than any sink has seen, and the same in all of them. */
export async function attachAll(s: Settling): Promise<Map<string, SinkRecord>> {
  for (;;) {
    const records = new Map<string, SinkRecord>();
    let highest = -1n;
    await s.sinks.each(async (sink) => {
      const record = await sink.sink.attach(sinkJobOf(s, sink), s.context);
      if (record === undefined) return;
      records.set(sink.key.sink, record);
      if (record.fence > highest) highest = record.fence;
    });
    if (highest < s.keeper.lease.fence) return records;
    await s.keeper.raise(highest);
  }
}

/** Two-phase sinks: every epoch that was staged is published or given up, and the ledger says which. */
async function recoverPrepared(s: Settling, plan: SinkPlan, records: Map<string, SinkRecord>): Promise<void> {
  const { ledger, context } = s;
  const { lease } = s.keeper;
  const { sink, key } = plan;
  if (sink.recover === undefined) return;
  const flow = await ledger.flow(key);
  const positions = Object.entries(flow.sinks[key.sink]?.positions ?? {});
  const staged = positions.flatMap(([split, { generation, prepared }]) =>
    prepared === undefined ? [] : [{ split: flow.splits[split]!.split, generation, prepared }],
  );
  if (staged.length === 0) return;
  const job = sinkJobOf(s, plan);
  const answers = await sink.recover(
    job,
    staged.map(({ prepared }) => prepared.token),
    context,
  );
  for (const [i, { split, generation, prepared }] of staged.entries()) {
    if (answers[i] === 'lost') {
      await ledger.dropPrepared(lease, key, split.id);
      continue;
    }
    if (answers[i] === 'committable') await sink.commitPrepared?.(job, [prepared.token], context);
    failpoint('recover.before-ledger');
    const { epoch, position, sealed } = prepared;
    const committed: SplitRecord = { split, generation, epoch, position, sealed };
    await ledger.commit(lease, key, committed, { rows: 0, bytes: 0 });
    const record = records.get(key.sink);
    if (record) {
      records.set(key.sink, { ...record, splits: { ...record.splits, [split.id]: committed } });
    }
  }
}

/** A job that was interrupted more often in a row than this is told that its append is complete. */
const RUNS_TO_LOOK_AT = 100;

async function reconcileAll(s: Settling, records: ReadonlyMap<string, SinkRecord>): Promise<Reconciled> {
  const { plan, ledger, keeper } = s;
  const { run } = keeper.lease.holder;
  const runs = await ledger.runs(plan.key.job, RUNS_TO_LOOK_AT);
  const settled = reconcile({
    ledger: await ledger.flow(plan.key),
    source: plan.sourceIdentity,
    sinks: s.sinks.list.map((sink) => sinkInput(plan, sink, records.get(sink.key.sink))),
    again: plan.again,
    fresh: s.retried ? [] : plan.fresh,
    alive: plan.spooled === true && s.retried,
    run,
    earlier: runs.filter((earlier) => earlier.run !== run),
  });
  for (const { sink, error } of settled.refused) {
    s.sinks.failed(plan.sinks.find(({ key }) => key.sink === sink)!, error);
  }
  return settled;
}

function sinkInput({ streams }: FlowPlan, plan: SinkPlan, record: SinkRecord | undefined) {
  const { sink } = plan.key;
  const taken = streams.flatMap(({ stream, read, targets }) => {
    const target = targets[sink];
    return target === undefined ? [] : [{ stream, read, target }];
  });
  return {
    sink,
    identity: plan.identity,
    record,
    keepsRecord: taken.some(({ target }) => keeps(target.table.protocol)),
    required: plan.onFailure === 'stop',
    wanted: taken.map(({ stream, read, target: { table, guarantee } }) => ({
      stream,
      mode: read.mode,
      resumable: table.write === 'append' && read.mode === 'full',
      mayRepeat: guarantee === 'at least once',
    })),
  };
}

export function keeps(protocol: string): boolean {
  return protocol === 'atomic' || protocol === 'two-phase';
}

async function adopt({ plan, ledger, keeper }: Settling, settled: Reconciled): Promise<void> {
  const { lease } = keeper;
  const { key } = plan;
  for (const { stream, generation } of settled.adoptGenerations) {
    await ledger.startGeneration(lease, key, stream, generation);
  }
  if (settled.adoptSplits.length > 0) await ledger.addSplits(lease, key, settled.adoptSplits);
  for (const { stream, generation } of settled.adoptGenerations) {
    await ledger.markPlanned(lease, key, stream, generation);
  }
  for (const { key: sinkKey } of plan.sinks) {
    const own = settled.adoptPositions.filter(({ sink }) => sink === sinkKey.sink);
    if (own.length > 0) {
      await ledger.adoptPositions(
        lease,
        sinkKey,
        own.map(({ record }) => record),
      );
    }
    for (const { sink, stream, generation } of settled.adoptPublished) {
      if (sink === sinkKey.sink) await ledger.markPublished(lease, sinkKey, stream, generation);
    }
  }
}
