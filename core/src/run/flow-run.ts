/**
 * One attempt at a flow, from wherever the last one left it: settle, plan what is missing, run the lanes, publish.
 * Every step may be the last one before a crash; each is safe to repeat.
 */

import {
  type Context,
  failpoint,
  type Lag,
  type Rung,
  type Split,
  type SplitRecord,
  type StreamRecord,
  type StreamSchema,
} from '@sluice/sdk';
import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import type { Tolerance } from '../dead-letters/letter-box.js';
import { isReplay } from '../dead-letters/replay-split.js';
import type { EpochStats, FlowState, Lease, Ledger, LedgerSplit, PositionState } from '../ledger/ledger.js';
import {
  arrivingSchema,
  type DetachedSink,
  type FlowPlan,
  type SinkPlan,
  type StreamPlan,
} from '../plan/flow-plan.js';
import { schemaDifference } from '../plan/schema-policy.js';
import { sleep } from './backoff.js';
import { Intake, type Metering } from './intake.js';
import { type LaneEnd, runLane } from './lane.js';
import { lanesOf, type SplitLane } from './lane-groups.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { LiveSinks } from './live-sinks.js';
import type { StreamStart } from './reconcile.js';
import { settle, sinkJobOf } from './settle.js';
import { ShapeChanged, ShapeChanges } from './shape-changed.js';
import { type RefusedBySink, RowsRefused, sift } from './sift.js';
import { splitsByStream } from './splits-by-stream.js';
import type { StreamCounter } from './stream-counter.js';

export interface FlowRun {
  readonly plan: FlowPlan;
  readonly ledger: Ledger;
  readonly keeper: Pick<LeaseKeeper, 'lease' | 'raise'>;
  readonly context: Context;
  readonly metering: Metering;
  readonly stop: AbortSignal;
  /** A later attempt of the same run: a generation that the first one began is resumed. */
  readonly retried: boolean;
  readonly counter: (sink: string, stream: string) => StreamCounter;
  /** Whether logs are read on and on until the run is stopped. */
  readonly follow: boolean;
  /** Undefined: the first row that is refused ends the flow. */
  readonly tolerance: Tolerance | undefined;
  readonly rung: Rung | undefined;
  readonly clock: Clock;
  readonly onStart: (sink: string, stream: StreamPlan, start: StreamStart, splits: readonly Split[]) => void;
  readonly onCommit: (commit: CommittedEpoch) => void;
  readonly onLag: (split: Split, lag: Lag) => void;
  readonly onPublish: (sink: string, stream: StreamPlan, generation: number) => void;
  readonly onDetach: (detached: DetachedSink) => void;
}

/** An epoch that one sink has committed. */
export interface CommittedEpoch {
  readonly sink: string;
  readonly split: Split;
  readonly generation: number;
  readonly epoch: number;
  readonly stats: EpochStats;
  readonly sealed: boolean;
  /** Milliseconds since the last of its changes was committed at the source, where that is known. */
  readonly delayMs?: number;
}

/** Where one sink has got to with one stream. */
export interface StreamEnd {
  readonly sink: string;
  readonly stream: string;
  readonly generation: number;
  readonly complete: boolean;
}

export interface FlowEnd {
  readonly stopped: boolean;
  readonly streams: readonly StreamEnd[];
  /** Sinks that were left behind on the way. */
  readonly detached: readonly DetachedSink[];
  /** Streams have come that are to be taken in: the flow goes on with this plan. */
  readonly renewed?: FlowPlan;
}

export async function runFlow(run: FlowRun): Promise<FlowEnd> {
  const sinks = new LiveSinks(run.plan.sinks, run.context.signal, run.onDetach);
  const starts = await settle({ ...run, sinks });
  const attempt = new Attempt(run, sinks);
  const open = starts.filter(({ action }) => action !== 'done');
  const state = await attempt.joinLogs(open, await attempt.planSplits(open));
  await attempt.prepareTargets(open, state);
  let stopped = await attempt.runLanes(open, state);
  const published = await attempt.publish(open);
  if (!stopped) stopped = await attempt.readLogs(open, state);
  const done = starts.flatMap(({ stream, generation, done }) =>
    done.map((sink): StreamEnd => ({ sink, stream, generation, complete: true })),
  );
  const { renewed } = attempt;
  return { stopped, streams: [...done, ...published], detached: sinks.detached, ...(renewed && { renewed }) };
}

class Attempt {
  private readonly refused = new Map<string, RefusedBySink>();
  private readonly changes = new ShapeChanges();
  /** Whether the logs that are read now are read on and on. */
  private unending = false;
  /** Epochs that were committed, in any sink. */
  private commits = 0;
  /** The plan with streams that have come while logs were followed. */
  renewed: FlowPlan | undefined;
  /** By stream, as they are now: a stream that changes on the way is planned anew. */
  private readonly plans: Map<string, StreamPlan>;

  constructor(
    private readonly r: FlowRun,
    private readonly sinks: LiveSinks,
  ) {
    this.plans = new Map(r.plan.streams.map((plan) => [plan.stream, plan]));
  }

  private get lease(): Lease {
    return this.r.keeper.lease;
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
      const wanted = await ledger.requestedCopies(key);
      const known = splitsOf(state, generations).map(({ split }) => leaving(split, wanted));
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
      if (wanted.length > 0) await ledger.dropCopyRequests(this.lease, key, wanted);
      for (const [stream, generation] of generations) {
        await ledger.markPlanned(this.lease, key, stream, generation);
      }
      state = await ledger.flow(key);
    }
    const ownSplits = ownSplitsOf(state);
    for (const start of starts) {
      const own = ownSplits(start).map(({ split }) => split);
      for (const sink of start.sinks) this.r.onStart(sink, this.planOf(start.stream), start, own);
    }
    failpoint('plan.after-planned');
    return state;
  }

  /**
   * A sink that has nothing yet joins a log where the others are: its source may have nothing from before. What it
   * missed is in the copy that it is still to get, all of it.
   */
  async joinLogs(starts: readonly StreamStart[], state: FlowState): Promise<FlowState> {
    const { ledger, plan } = this.r;
    const splits = this.splitsOf(starts, state);
    const hasNothing = ({ key: { sink } }: SinkPlan) =>
      splits.every(({ split }) => state.sinks[sink]?.positions[split.id] === undefined);
    for (const { split, generation } of splits) {
      if (split.phase !== 'log') continue;
      const known = Object.values(state.sinks).flatMap(({ positions }) => positions[split.id] ?? []);
      const [place, ...others] = new Set(known.map(({ position }) => JSON.stringify(position)));
      if (place === undefined || others.length > 0) continue;
      const record = { split, generation, epoch: 0, position: JSON.parse(place), sealed: false };
      for (const sink of this.sinks.list.filter(hasNothing)) {
        await ledger.adoptPositions(this.lease, sink.key, [record]);
      }
    }
    failpoint('plan.after-joined');
    return ledger.flow(plan.key);
  }

  /** The sinks learn generations and splits, and their tables get their shape. */
  async prepareTargets(starts: readonly StreamStart[], state: FlowState): Promise<void> {
    const { context } = this.r;
    const records = new Map<string, { record: { streams: Streams; splits: Splits }; own: StreamStart[] }>();
    await this.sinks.each(async (sink) => {
      const own = starts.filter((start) => start.sinks.includes(sink.key.sink));
      const record = recordOf(own, state, sink);
      await sink.sink.adopt(sinkJobOf(this.r, sink), record, context);
      records.set(sink.key.sink, { record, own });
    });
    failpoint('prepare.after-adopt');
    await this.sinks.each(async (sink) => {
      for (const { stream, generation } of records.get(sink.key.sink)!.own) {
        const { table } = this.planOf(stream).targets[sink.key.sink]!;
        if (table.fits) continue;
        await sink.sink.applySchema(sinkJobOf(this.r, sink), table, generation, context);
      }
    });
    failpoint('prepare.after-schema');
    for (const { stream } of starts) {
      const schema = arrivingSchema(this.planOf(stream));
      if (JSON.stringify(state.streams[stream]?.schema) !== JSON.stringify(schema)) {
        await this.r.ledger.recordSchema(this.lease, this.r.plan.key, schema);
      }
    }
  }

  /**
   * Copies what is not sealed everywhere, and polls; true when a stop left some of it unfinished. Where streams are
   * copied that join a log which is being followed, copying and following take turns, so that neither waits for the
   * other to end. They never go on at once: whatever a turn of the log does not see of the copy before it, the next will.
   */
  async runLanes(starts: readonly StreamStart[], before: FlowState): Promise<boolean> {
    const { ledger, plan, stop } = this.r;
    const isLog = ({ split }: LedgerSplit) => split.phase === 'log';
    const all = this.splitsOf(starts, before);
    const [logs, others] = [all.filter(isLog), all.filter((split) => !isLog(split))];
    let state = before;
    for (let turnMs = COPY_MS; ; ) {
      const pause = new AbortController();
      const { commits } = this;
      const followed = logs.some(({ split }) => hasBegun(state, split.id));
      const timer = followed ? setTimeout(() => pause.abort(), turnMs) : undefined;
      try {
        const stopped = await this.runAll(others, starts, state, AbortSignal.any([stop, pause.signal]));
        if (!stopped) return false;
      } finally {
        clearTimeout(timer);
      }
      if (stop.aborted) return true;
      // What comes to no checkpoint within a turn would begin anew in each of them.
      if (this.commits === commits) turnMs *= 2;
      if (await this.runAll(logs, starts, await ledger.flow(plan.key))) return true;
      state = await ledger.flow(plan.key);
    }
  }

  /**
   * Reads logs, once all that they go on from has been copied: what was changed meanwhile comes last. Up to where they
   * end now or, where the run follows them, until it is stopped: true then. Following ends as well when streams have
   * come that are to be taken in.
   */
  async readLogs(starts: readonly StreamStart[], before: FlowState): Promise<boolean> {
    const { ledger, plan, follow, stop } = this.r;
    const logs = this.splitsOf(starts, before).filter(({ split }) => split.phase === 'log');
    if (logs.length === 0) return false;
    for (;;) {
      const state = await ledger.flow(plan.key);
      // Sinks at places of their own read in turns, each up to the end, until they meet.
      this.unending = follow && this.lanesOf(logs, starts, state).length === logs.length;
      const news = new AbortController();
      const looking = follow ? this.lookAround(news) : undefined;
      await this.runAll(logs, starts, state, AbortSignal.any([stop, news.signal])).finally(() =>
        news.abort(),
      );
      await looking;
      if (stop.aborted) return true;
      if (!follow || this.renewed !== undefined) return false;
      await sleep(TURN_MS, AbortSignal.any([stop, this.r.context.signal]));
      if (stop.aborted) return true;
    }
  }

  /** Looks now and then whether streams are to be copied, and then says so. What goes wrong there can wait. */
  private async lookAround(news: AbortController): Promise<void> {
    const { plan, ledger, context, stop, clock } = this.r;
    const signal = AbortSignal.any([news.signal, stop, context.signal]);
    for (let rest = LOOK_MS; this.renewed === undefined; rest -= REQUEST_MS) {
      await sleep(REQUEST_MS, signal);
      if (signal.aborted) return;
      try {
        const wanted = await ledger.requestedCopies(plan.key);
        if (wanted.length > 0) this.renewed = plan;
        if (wanted.length > 0 || rest > 0) continue;
        const began = clock.steady();
        this.renewed = await plan.renewed?.({ ...context, signal });
        rest = Math.max(LOOK_MS, (clock.steady() - began) * LEISURE);
      } catch (error) {
        rest = LOOK_MS;
        if (!signal.aborted)
          context.log.warn('streams that have come cannot be taken in', { error: String(error) });
      }
    }
    news.abort();
  }

  private splitsOf(starts: readonly StreamStart[], state: FlowState): LedgerSplit[] {
    return splitsOf(state, new Map(starts.map(({ stream, generation }) => [stream, generation])));
  }

  private lanesOf(
    splits: readonly LedgerSplit[],
    starts: readonly StreamStart[],
    state: FlowState,
  ): SplitLane[] {
    const everyone = this.r.plan.detached.length + this.sinks.detached.length === 0;
    return lanesOf(splits, starts, state, this.sinks.list, everyone);
  }

  private async runAll(
    splits: readonly LedgerSplit[],
    starts: readonly StreamStart[],
    state: FlowState,
    stop = this.r.stop,
  ): Promise<boolean> {
    const { plan, context } = this.r;
    const lanes = this.lanesOf(splits, starts, state);
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const laneContext: Context = { ...context, signal };
    // A log has one reader at a time.
    const concurrency = splits.some(({ split }) => split.phase === 'log') ? 1 : plan.lanes;
    const queue = new PQueue({ concurrency });
    let failure: { error: unknown } | undefined;
    let stopped = false;
    for (const lane of lanes) {
      void queue.add(async () => {
        if (failure !== undefined) return;
        // One that cannot be resumed gains nothing by a pause.
        const end = lane.split.volatile ? this.r.stop : stop;
        if (end.aborted) {
          stopped = true;
          return;
        }
        try {
          if (await this.runSplit(lane, starts, laneContext, end)) stopped = true;
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

  /** Runs a lane, and again without the rows that a sink refuses; true when a stop left it unfinished. */
  private async runSplit(
    lane: SplitLane,
    starts: readonly StreamStart[],
    context: Context,
    stop: AbortSignal,
  ): Promise<boolean> {
    try {
      return (await this.lane(lane, context, stop)) === 'stopped';
    } catch (error) {
      if (error instanceof ShapeChanged) await this.reshape(lane, error.schema, starts, context);
      else if (error instanceof RowsRefused) await this.siftLane(lane, error, context);
      else throw error;
    }
    const { split, generation } = lane;
    const state = await this.r.ledger.flow(this.r.plan.key);
    let stopped = false;
    for (const again of lanesOf([{ split, generation }], starts, state, this.sinks.list, false)) {
      if (await this.runSplit(again, starts, context, stop)) stopped = true;
    }
    return stopped;
  }

  /** Lets the sinks follow a stream that has changed. Its lane has ended: no other one writes the stream meanwhile. */
  private async reshape(
    { split, at }: SplitLane,
    schema: StreamSchema,
    starts: readonly StreamStart[],
    context: Context,
  ): Promise<void> {
    const { plan, ledger } = this.r;
    const before = this.planOf(schema.stream);
    this.changes.admit(split.id, JSON.stringify(at), before, schema);
    const known = arrivingSchema(before);
    const next = await plan.replan(schema, known, context);
    const difference = schemaDifference(known, arrivingSchema(next));
    context.log.warn(`stream ${schema.stream} has changed on the way`, { ...difference });
    failpoint('reshape.before');
    const { generation, sinks } = starts.find(({ stream }) => stream === schema.stream)!;
    await this.sinks.each(async (sink) => {
      const target = next.targets[sink.key.sink];
      if (target === undefined || !sinks.includes(sink.key.sink)) return;
      await sink.sink.applySchema(sinkJobOf(this.r, sink), target.table, generation, context);
    });
    failpoint('reshape.after-schema');
    await ledger.recordSchema(this.lease, plan.key, arrivingSchema(next));
    this.plans.set(schema.stream, next);
  }

  private async siftLane(lane: SplitLane, refusal: RowsRefused, context: Context): Promise<void> {
    const { plan, ledger, rung } = this.r;
    const { split, generation } = lane;
    const { sink } = refusal.branch;
    const position = (await ledger.flow(plan.key)).sinks[sink.key.sink]?.positions[split.id];
    const found = await sift({
      plan,
      split,
      generation,
      streams: this.plansOf(split),
      branch: refusal.branch,
      at: position === undefined || position.epoch === 0 ? split.start : position.position,
      rowsRead: refusal.rowsRead,
      known: this.refusedBy(sink, split, position),
      rung,
      context,
    });
    if (!found) this.sinks.failed(sink, refusal.cause);
  }

  /** The rows behind a position that a sink is known to refuse. */
  private refusedBy({ key }: SinkPlan, { id }: Split, position: PositionState | undefined): RefusedBySink {
    const place = `${key.sink}\n${id}\n${position?.epoch ?? 0}`;
    const known = this.refused.get(place) ?? new Map();
    this.refused.set(place, known);
    return known;
  }

  private async lane(lane: SplitLane, context: Context, stop: AbortSignal): Promise<LaneEnd> {
    const { plan, metering } = this.r;
    const hurry = AbortSignal.any([stop, context.signal]);
    const intake = await Intake.admit(metering, plan.laneBytes, hurry);
    try {
      return await this.runLane(lane, intake, context, stop);
    } finally {
      intake.leave();
    }
  }

  private runLane(lane: SplitLane, intake: Intake, context: Context, stop: AbortSignal): Promise<LaneEnd> {
    const { plan, ledger, counter, tolerance, rung, clock, onCommit, onLag } = this.r;
    const { split, generation } = lane;
    return runLane({
      plan,
      split,
      generation,
      at: lane.at,
      unending: this.unending && split.phase === 'log',
      acknowledges: lane.acknowledges,
      streams: this.plansOf(split),
      branches: lane.branches.map(({ sink, position }) => ({
        sink,
        position,
        job: sinkJobOf(this.r, sink),
        target: { ledger, lease: this.lease, key: sink.key },
        tolerance,
        refused: this.refusedBy(sink, split, position),
        counter: (stream: string) => counter(sink.key.sink, stream),
        onCommit: (epoch, stats, sealed, delayMs) => {
          this.commits++;
          onCommit({
            sink: sink.key.sink,
            split,
            generation,
            epoch,
            stats,
            sealed,
            ...(delayMs !== undefined && { delayMs }),
          });
        },
      })),
      onLag: (lag) => onLag(split, lag),
      sinks: this.sinks,
      tolerant: tolerance !== undefined,
      context,
      intake,
      stop,
      rung,
      clock,
    });
  }

  /** Makes every complete generation visible; says what is complete. */
  async publish(starts: readonly StreamStart[]): Promise<StreamEnd[]> {
    const { plan, ledger, context } = this.r;
    const state = await ledger.flow(plan.key);
    const ownSplits = ownSplitsOf(state);
    const ends: StreamEnd[] = [];
    await this.sinks.each(async (sink) => {
      const { key } = sink;
      const positions = state.sinks[key.sink]?.positions ?? {};
      for (const { stream, generation, sinks } of starts) {
        if (!sinks.includes(key.sink)) continue;
        const complete = ownSplits({ stream, generation }).every(
          ({ split }) => split.phase !== 'bulk' || positions[split.id]?.sealed === true,
        );
        const streamPlan = this.planOf(stream);
        if (complete && streamPlan.read.mode === 'full') {
          failpoint('publish.before');
          const { table } = streamPlan.targets[key.sink]!;
          const { allowEmpty } = plan;
          await sink.sink.publish(sinkJobOf(this.r, sink), table, generation, { allowEmpty }, context);
          failpoint('publish.before-ledger');
          await ledger.markPublished(this.lease, key, stream, generation);
          failpoint('publish.after-ledger');
          this.r.onPublish(key.sink, streamPlan, generation);
        }
        ends.push({ sink: key.sink, stream, generation, complete });
      }
    });
    return ends;
  }

  /** A log may have streams that the job does not read any more. */
  private plansOf({ streams }: Split): StreamPlan[] {
    return streams.flatMap((stream) => this.plans.get(stream) ?? []);
  }

  private planOf(stream: string): StreamPlan {
    return this.plans.get(stream)!;
  }
}

/** Milliseconds for which streams that join a log are copied before the log has its turn. */
const COPY_MS = 2000;

/** Milliseconds between looks for streams that have come, and how many times as long as a look that is at least. */
const LOOK_MS = 10_000;
const LEISURE = 50;

/** Milliseconds between looks for copies that are asked for. */
const REQUEST_MS = 1000;

/** Milliseconds between the turns of sinks that read one log from places of their own. */
const TURN_MS = 200;

/** Splits are written in portions, so that a source may plan a great many. */
const SPLITS_AT_ONCE = 1000;

/** A log as one that streams have left, which therefore are to be copied to join it again. */
function leaving(split: Split, streams: readonly string[]): Split {
  if (split.phase !== 'log' || streams.length === 0) return split;
  return { ...split, streams: split.streams.filter((stream) => !streams.includes(stream)) };
}

/** Whether any sink has something of a split. */
function hasBegun({ sinks }: FlowState, split: string): boolean {
  return Object.values(sinks).some(({ positions }) => (positions[split]?.epoch ?? 0) > 0);
}

function splitsOf(state: FlowState, generations: ReadonlyMap<string, number>): LedgerSplit[] {
  return Object.values(state.splits).filter(
    ({ split, generation }) =>
      !isReplay(split) && split.streams.some((stream) => generations.get(stream) === generation),
  );
}

/** The splits of a stream's generation. */
function ownSplitsOf(state: FlowState) {
  const found = splitsByStream(state.splits);
  return ({ stream, generation }: Pick<StreamStart, 'stream' | 'generation'>): LedgerSplit[] =>
    found(stream).flatMap(([, held]) =>
      held.generation === generation && !isReplay(held.split) ? held : [],
    );
}

type Streams = { [stream: string]: StreamRecord };
type Splits = { [split: string]: SplitRecord };

/** What a sink is to remember of the streams that are about to be written to it. */
function recordOf(
  starts: readonly StreamStart[],
  state: FlowState,
  { key }: SinkPlan,
): { streams: Streams; splits: Splits } {
  const positions = state.sinks[key.sink]?.positions ?? {};
  const streams: Streams = {};
  const splits: Splits = {};
  const ownSplits = ownSplitsOf(state);
  for (const { stream, generation } of starts) {
    streams[stream] = { generation, published: false };
    for (const { split } of ownSplits({ stream, generation })) {
      const { epoch = 0, position = split.start, sealed = false } = positions[split.id] ?? {};
      splits[split.id] = { split, generation, epoch, position, sealed };
    }
  }
  return { streams, splits };
}
