/**
 * One attempt at a flow, from wherever the last one left it: fence, recover, reconcile, plan what is missing, run
 * the lanes, publish. Every step may be the last one before a crash; each is safe to repeat.
 */
import {
  type Context,
  failpoint,
  type Rung,
  type SinkJob,
  type SinkRecord,
  type Split,
  type SplitRecord,
  type StreamRecord,
} from '@sluice/sdk';
import PQueue from 'p-queue';
import type { EpochStats, FlowState, Lease, Ledger, LedgerSplit } from '../ledger/ledger.js';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { type LaneEnd, runLane } from './lane.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { checkIdentities, reconcile, type StreamStart } from './reconcile.js';
import type { StreamCounter } from './stream-counter.js';

export interface FlowRun {
  readonly plan: FlowPlan;
  readonly ledger: Ledger;
  readonly keeper: Pick<LeaseKeeper, 'lease' | 'raise'>;
  readonly context: Context;
  readonly stop: AbortSignal;
  /** A later attempt of the same run: a generation that the first one began is resumed. */
  readonly retried: boolean;
  readonly counters: ReadonlyMap<string, StreamCounter>;
  readonly rung: Rung | undefined;
  readonly now: () => number;
  readonly onStart: (stream: StreamPlan, start: StreamStart, splits: readonly Split[]) => void;
  readonly onCommit: (
    split: Split,
    generation: number,
    epoch: number,
    stats: EpochStats,
    sealed: boolean,
  ) => void;
  readonly onPublish: (stream: StreamPlan, generation: number) => void;
}

export interface FlowEnd {
  readonly stopped: boolean;
  /** Per stream the generation, and whether it is complete. */
  readonly streams: ReadonlyMap<string, { readonly generation: number; readonly complete: boolean }>;
}

export async function runFlow(run: FlowRun): Promise<FlowEnd> {
  const attempt = new Attempt(run);
  const starts = await attempt.settle();
  const open = starts.filter(({ action }) => action !== 'done');
  const state = await attempt.planSplits(open);
  await attempt.prepareTargets(open, state);
  const stopped = await attempt.runLanes(open, state);
  const ended = await attempt.publish(open);
  const streams = new Map(ended);
  for (const { stream, action, generation } of starts) {
    if (action === 'done') streams.set(stream, { generation, complete: true });
  }
  return { stopped, streams };
}

class Attempt {
  private record: SinkRecord | undefined;

  constructor(private readonly r: FlowRun) {}

  private get lease(): Lease {
    return this.r.keeper.lease;
  }

  private get sinkJob(): SinkJob {
    const { sinkJob, sourceIdentity } = this.r.plan;
    return { id: sinkJob, source: sourceIdentity, fence: this.lease.fence };
  }

  /** Raises the fence, recovers staged epochs, and brings ledger and sink to one account of what is committed. */
  async settle(): Promise<readonly StreamStart[]> {
    const { plan, ledger, context } = this.r;
    const { key } = plan;
    const identity = { source: plan.sourceIdentity, target: plan.targetIdentity };
    checkIdentities((await ledger.flow(key)).sinks[key.sink], identity);
    for (;;) {
      this.record = await plan.sink.attach(this.sinkJob, context);
      if (this.record === undefined || this.record.fence < this.lease.fence) break;
      await this.r.keeper.raise(this.record.fence);
    }
    failpoint('attach.after');
    await this.recoverPrepared();
    const before = await ledger.flow(key);
    const runs = await ledger.runs(key.job, RUNS_TO_LOOK_AT);
    const keepsRecord = plan.streams.some(({ table }) => keeps(table.protocol));
    const settled = reconcile({
      ledger: before,
      sink: key.sink,
      record: this.record,
      keepsRecord,
      identity,
      wanted: plan.streams.map(({ stream, read, guarantee }) => ({
        stream,
        mode: read.mode,
        resumable: read.resumable,
        mayRepeat: guarantee === 'at least once',
      })),
      again: plan.again,
      fresh: plan.fresh && !this.r.retried,
      run: this.lease.holder.run,
      earlier: runs.filter(({ run }) => run !== this.lease.holder.run),
    });
    await ledger.registerSink(this.lease, key, identity);
    for (const { stream, generation } of settled.adoptGenerations) {
      await ledger.startGeneration(this.lease, key, stream, generation);
    }
    if (settled.adoptSplits.length > 0) await ledger.addSplits(this.lease, key, settled.adoptSplits);
    for (const { stream, generation } of settled.adoptGenerations) {
      await ledger.markPlanned(this.lease, key, stream, generation);
    }
    if (settled.adoptPositions.length > 0)
      await ledger.adoptPositions(this.lease, key, settled.adoptPositions);
    for (const { stream, generation } of settled.adoptPublished) {
      await ledger.markPublished(this.lease, key, stream, generation);
    }
    failpoint('settle.after-adopt');
    for (const start of settled.streams) {
      if (start.action === 'begin')
        await ledger.startGeneration(this.lease, key, start.stream, start.generation);
    }
    failpoint('settle.after-begin');
    return settled.streams;
  }

  /** Two-phase sinks: every epoch that was staged is published or given up, and the ledger says which. */
  private async recoverPrepared(): Promise<void> {
    const { plan, ledger, context } = this.r;
    const { sink, key } = plan;
    if (sink.recover === undefined) return;
    const flow = await ledger.flow(key);
    const positions = Object.entries(flow.sinks[key.sink]?.positions ?? {});
    const staged = positions.flatMap(([split, { generation, prepared }]) =>
      prepared === undefined ? [] : [{ split: flow.splits[split]!.split, generation, prepared }],
    );
    if (staged.length === 0) return;
    const answers = await sink.recover(
      this.sinkJob,
      staged.map(({ prepared }) => prepared.token),
      context,
    );
    for (const [i, { split, generation, prepared }] of staged.entries()) {
      if (answers[i] === 'lost') {
        await ledger.dropPrepared(this.lease, key, split.id);
        continue;
      }
      if (answers[i] === 'committable') await sink.commitPrepared?.(this.sinkJob, [prepared.token], context);
      failpoint('recover.before-ledger');
      const { epoch, position, sealed } = prepared;
      const record: SplitRecord = { split, generation, epoch, position, sealed };
      await ledger.commit(this.lease, key, record, { rows: 0, bytes: 0 });
      if (this.record) this.record = withSplit(this.record, record);
    }
  }

  /** Writes the splits that are still missing, before anything of them is read. */
  async planSplits(starts: readonly StreamStart[]): Promise<FlowState> {
    const { plan, ledger, context } = this.r;
    const { key } = plan;
    let state = await ledger.flow(key);
    const missing = starts.filter(({ stream }) => {
      const { mode } = this.planOf(stream).read;
      return mode !== 'full' || state.streams[stream]?.planned !== true;
    });
    if (missing.length > 0) {
      const generations = new Map(missing.map(({ stream, generation }) => [stream, generation]));
      const reads = missing.map(({ stream, generation }) => ({ ...this.planOf(stream).read, generation }));
      const known = splitsOf(state, generations).map(({ split }) => split);
      let found: LedgerSplit[] = [];
      for await (const split of plan.source.splits(reads, known, context)) {
        context.signal.throwIfAborted();
        found.push({ split, generation: generations.get(split.streams[0]!) ?? 1 });
        if (found.length < SPLITS_AT_ONCE) continue;
        await ledger.addSplits(this.lease, key, found);
        found = [];
      }
      await ledger.addSplits(this.lease, key, found);
      failpoint('plan.before-planned');
      for (const [stream, generation] of generations) {
        await ledger.markPlanned(this.lease, key, stream, generation);
      }
      state = await ledger.flow(key);
    }
    for (const start of starts) {
      const own = splitsOf(state, new Map([[start.stream, start.generation]])).map(({ split }) => split);
      this.r.onStart(this.planOf(start.stream), start, own);
    }
    failpoint('plan.after-planned');
    return state;
  }

  /** The sink learns generations and splits, and its tables get their shape. */
  async prepareTargets(starts: readonly StreamStart[], state: FlowState): Promise<void> {
    const { plan, context } = this.r;
    const positions = state.sinks[plan.key.sink]?.positions ?? {};
    const streams: { [stream: string]: StreamRecord } = {};
    const splits: { [split: string]: SplitRecord } = {};
    for (const { stream, generation } of starts) {
      streams[stream] = { generation, published: false };
      for (const { split } of splitsOf(state, new Map([[stream, generation]]))) {
        const at = positions[split.id];
        const { epoch = 0, position = split.start, sealed = false } = at ?? {};
        splits[split.id] = { split, generation, epoch, position, sealed };
      }
    }
    await plan.sink.adopt(this.sinkJob, { streams, splits }, context);
    failpoint('prepare.after-adopt');
    for (const { stream, generation } of starts) {
      await plan.sink.applySchema(this.sinkJob, this.planOf(stream).table, generation, context);
    }
    failpoint('prepare.after-schema');
  }

  /** Runs a lane for every split that is not sealed; true when a stop left some of them unfinished. */
  async runLanes(starts: readonly StreamStart[], state: FlowState): Promise<boolean> {
    const { plan, context } = this.r;
    const positions = state.sinks[plan.key.sink]?.positions ?? {};
    const wanted = new Map(starts.map(({ stream, generation }) => [stream, generation]));
    const open = splitsOf(state, wanted).filter(({ split }) => positions[split.id]?.sealed !== true);

    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const laneContext: Context = { ...context, signal };
    const queue = new PQueue({ concurrency: plan.lanes });
    let failure: { error: unknown } | undefined;
    let stopped = false;
    for (const { split, generation } of open) {
      void queue.add(async () => {
        if (failure !== undefined) return;
        if (this.r.stop.aborted) {
          stopped = true;
          return;
        }
        try {
          const end = await this.lane(split, generation, positions[split.id], laneContext);
          if (end === 'stopped') stopped = true;
        } catch (error) {
          failure ??= { error };
          failed.abort(error);
        }
      });
    }
    await queue.onIdle();
    if (failure !== undefined) throw failure.error;
    context.signal.throwIfAborted();
    return stopped;
  }

  private lane(
    split: Split,
    generation: number,
    position: FlowState['sinks'][string]['positions'][string] | undefined,
    context: Context,
  ): Promise<LaneEnd> {
    const { plan, ledger, counters, rung, now, stop } = this.r;
    const streams = new Map(
      split.streams.map((stream) => [stream, { plan: this.planOf(stream), counter: counters.get(stream)! }]),
    );
    return runLane({
      plan,
      split,
      generation,
      position,
      streams,
      target: { ledger, lease: this.lease, key: plan.key },
      sinkJob: this.sinkJob,
      context,
      stop,
      rung,
      now,
      onCommit: (of, epoch, stats, sealed) => this.r.onCommit(of, generation, epoch, stats, sealed),
    });
  }

  /** Makes every complete generation visible; says what is complete. */
  async publish(starts: readonly StreamStart[]): Promise<FlowEnd['streams']> {
    const { plan, ledger, context } = this.r;
    const state = await ledger.flow(plan.key);
    const positions = state.sinks[plan.key.sink]?.positions ?? {};
    const ends = new Map<string, { generation: number; complete: boolean }>();
    for (const { stream, generation } of starts) {
      const own = splitsOf(state, new Map([[stream, generation]]));
      const complete = own.every(
        ({ split }) => split.phase !== 'bulk' || positions[split.id]?.sealed === true,
      );
      ends.set(stream, { generation, complete });
      const stream_ = this.planOf(stream);
      if (!complete || stream_.read.mode !== 'full') continue;
      failpoint('publish.before');
      const { allowEmpty } = plan;
      await plan.sink.publish(this.sinkJob, stream_.table, generation, { allowEmpty }, context);
      failpoint('publish.before-ledger');
      await ledger.markPublished(this.lease, plan.key, stream, generation);
      failpoint('publish.after-ledger');
      this.r.onPublish(stream_, generation);
    }
    return ends;
  }

  private planOf(stream: string): StreamPlan {
    return this.r.plan.streams.find((plan) => plan.stream === stream)!;
  }
}

/** A job that was interrupted more often in a row than this is told that its append is complete. */
const RUNS_TO_LOOK_AT = 100;

/** Splits are written in portions, so that a source may plan a great many. */
const SPLITS_AT_ONCE = 1000;

function keeps(protocol: string): boolean {
  return protocol === 'atomic' || protocol === 'two-phase';
}

function splitsOf(state: FlowState, generations: ReadonlyMap<string, number>): LedgerSplit[] {
  return Object.values(state.splits).filter(({ split, generation }) =>
    split.streams.some((stream) => generations.get(stream) === generation),
  );
}

function withSplit(record: SinkRecord, split: SplitRecord): SinkRecord {
  return { ...record, splits: { ...record.splits, [split.split.id]: split } };
}
