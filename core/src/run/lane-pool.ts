/** Runs lanes side by side, and those again that come upon refused rows or another shape of their stream. */
import { type Context, failpoint, type Split, type StreamSchema } from '@sluice/sdk';
import PQueue from 'p-queue';
import type { FlowState, LedgerSplit, PositionState } from '../ledger/ledger.js';
import { arrivingSchema, knownSchema, type SinkPlan } from '../plan/flow-plan.js';
import { schemaDifference } from '../plan/schema-policy.js';
import type { Attempt } from './attempt.js';
import { Intake } from './intake.js';
import { type LaneEnd, runLane } from './lane.js';
import { type ComparePlaces, lanesOf, type SplitLane } from './lane-groups.js';
import { requestIfStale } from './request-if-stale.js';
import { sinkJobOf } from './settle.js';
import { ShapeChanged, ShapeChanges } from './shape-changed.js';
import { type RefusedBySink, RowsRefused, type SiftRun, sift } from './sift.js';
import { siftLog } from './sift-log.js';
import { copiesIn, NO_COPIES } from './sink-rows.js';

/** How a turn of lanes is read. */
interface Turn {
  /** Aborted: lanes finish the epoch at the next checkpoint, then leave. */
  readonly stop: AbortSignal;
  /** Whether logs are read on and on as they grow. */
  readonly unending: boolean;
  readonly context: Context;
}

export class LanePool {
  private readonly refused = new Map<string, RefusedBySink>();
  private readonly changes = new ShapeChanges();
  /** Epochs that were committed, in any sink. */
  commits = 0;

  constructor(private readonly attempt: Attempt) {}

  /** The lanes for what is not sealed of these splits. */
  lanesOf(splits: readonly LedgerSplit[], state: FlowState): SplitLane[] {
    const { sinks, starts } = this.attempt;
    return lanesOf(splits, starts, state, sinks.list, this.everyone, this.compare);
  }

  /** Whether the flow works with all of its sinks. */
  private get everyone(): boolean {
    const { run, sinks } = this.attempt;
    return run.plan.detached.length + sinks.detached.length === 0;
  }

  get compare(): ComparePlaces | undefined {
    const { source } = this.attempt.run.plan;
    return source.comparePositions?.bind(source);
  }

  /** Runs lanes to their end; true when a stop left one of them unfinished. */
  async run(lanes: readonly SplitLane[], stop: AbortSignal, unending = false): Promise<boolean> {
    const { plan, context, stop: endOfRun } = this.attempt.run;
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    // A log has one reader at a time.
    const concurrency = lanes.some(({ split }) => split.phase === 'log') ? 1 : plan.lanes;
    const queue = new PQueue({ concurrency });
    let failure: { error: unknown } | undefined;
    let stopped = false;
    const runOne = async (lane: SplitLane) => {
      if (failure !== undefined) return;
      // One that cannot be resumed gains nothing by a pause.
      const turn = {
        stop: lane.split.volatile ? endOfRun : stop,
        unending,
        context: { ...context, signal },
      };
      if (turn.stop.aborted) {
        stopped = true;
        return;
      }
      try {
        if (await this.runSplit(lane, turn)) stopped = true;
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
      }
    };
    for (const one of this.afterEachOther(lanes)) {
      void queue.add(async () => {
        for (const lane of one) await runOne(lane);
      });
    }
    await queue.onIdle();
    if (failure !== undefined) throw failure.error;
    context.signal.throwIfAborted();
    return stopped;
  }

  /** Lanes that may run at once, and among them those that may not: copies of one stream are each of a later instant. */
  private afterEachOther(lanes: readonly SplitLane[]): SplitLane[][] {
    const queues = new Map<string, SplitLane[]>();
    for (const [i, lane] of lanes.entries()) {
      const { phase, streams } = lane.split;
      const isCopy = phase === 'bulk' && this.attempt.planOf(streams[0]!).read.once === true;
      const name = isCopy ? streams[0]! : `lane ${i}`;
      queues.set(name, [...(queues.get(name) ?? []), lane]);
    }
    return [...queues.values()];
  }

  /** Runs a lane, and again without the rows that a sink refuses; true when a stop left it unfinished. */
  private async runSplit(lane: SplitLane, turn: Turn): Promise<boolean> {
    try {
      return (await this.admitted(lane, turn)) === 'stopped';
    } catch (error) {
      if (error instanceof ShapeChanged) await this.reshape(lane, error.schema, turn.context);
      else if (error instanceof RowsRefused) await this.siftLane(lane, error, turn.context);
      else throw error;
    }
    const { run, sinks, starts } = this.attempt;
    const { split, generation, branches } = lane;
    const state = await run.ledger.flow(run.plan.key);
    let stopped = false;
    const own = sinks.list.filter(({ key }) => branches.some(({ sink }) => sink.key.sink === key.sink));
    const everyone = lane.acknowledges && this.everyone;
    const lanes = lanesOf([{ split, generation }], starts, state, own, everyone, this.compare);
    // Sinks that have come apart have to meet again: none of them follows the log alone.
    const unending = turn.unending && lanes.length === 1;
    for (const again of lanes) {
      const upTo = lane.upTo !== undefined && { upTo: lane.upTo };
      if (await this.runSplit({ ...again, ...upTo }, { ...turn, unending })) stopped = true;
    }
    return stopped;
  }

  /** Lets the sinks follow a stream that has changed. Its lane has ended: no other one writes the stream meanwhile. */
  private async reshape({ split, at }: SplitLane, schema: StreamSchema, context: Context): Promise<void> {
    const { attempt } = this;
    const { run, sinks: live, starts } = attempt;
    const { plan, ledger } = run;
    const before = attempt.planOf(schema.stream);
    this.changes.admit(split.id, JSON.stringify(at), before, schema);
    const known = (await ledger.flow(plan.key)).streams[schema.stream]?.schema ?? arrivingSchema(before);
    const next = await plan.replan(schema, known, context);
    const difference = schemaDifference(known, arrivingSchema(next));
    context.log.warn(`stream ${schema.stream} has changed on the way`, { ...difference });
    const begun = new Set(live.list.map(({ key }) => key.sink));
    if (await requestIfStale(attempt, known, next, begun)) attempt.asksForCopies = true;
    failpoint('reshape.before');
    const { generation, sinks } = starts.find(({ stream }) => stream === schema.stream)!;
    await live.each(async (sink) => {
      const target = next.targets[sink.key.sink];
      if (target === undefined || !sinks.includes(sink.key.sink)) return;
      await sink.sink.applySchema(sinkJobOf(run, sink), target.table, generation, context);
    });
    failpoint('reshape.after-schema');
    await ledger.recordSchema(attempt.lease, plan.key, knownSchema(next, known));
    attempt.plans.set(schema.stream, next);
  }

  private async siftLane(lane: SplitLane, refusal: RowsRefused, context: Context): Promise<void> {
    const { attempt } = this;
    const { plan, ledger, rung, tolerance } = attempt.run;
    const { split, generation } = lane;
    const { flow } = plan.key;
    const { sink } = refusal.branch;
    const position = (await ledger.flow(plan.key)).sinks[sink.key.sink]?.positions[split.id];
    const { rowsRead } = refusal;
    const sifting: SiftRun = {
      plan,
      split,
      generation,
      streams: attempt.plansOf(split),
      branch: refusal.branch,
      at: position === undefined || position.epoch === 0 ? split.start : position.position,
      rowsRead,
      known: this.refusedBy(sink, split, position),
      rung,
      context,
    };
    const allows = (rejected: number) =>
      tolerance!.limit.allows([{ flow, stream: '', read: rowsRead, rejected }]);
    const found = await (split.phase === 'log' ? siftLog(sifting, allows) : sift(sifting));
    if (!found) attempt.sinks.failed(sink, refusal.cause);
  }

  /** The rows behind a position that a sink is known to refuse. */
  private refusedBy({ key }: SinkPlan, { id }: Split, position: PositionState | undefined): RefusedBySink {
    const place = `${key.sink}\n${id}\n${position?.epoch ?? 0}`;
    const known = this.refused.get(place) ?? new Map();
    this.refused.set(place, known);
    return known;
  }

  private async admitted(lane: SplitLane, turn: Turn): Promise<LaneEnd> {
    const { plan, metering } = this.attempt.run;
    const hurry = AbortSignal.any([turn.stop, turn.context.signal]);
    const intake = await Intake.admit(metering, plan.laneBytes, hurry);
    try {
      return await this.runLane(lane, intake, turn);
    } finally {
      intake.leave();
    }
  }

  private async runLane(
    lane: SplitLane,
    intake: Intake,
    { stop, unending, context }: Turn,
  ): Promise<LaneEnd> {
    const { attempt } = this;
    const { run, sinks } = attempt;
    const { plan, ledger, counter, tolerance, rung, clock, onCommit } = run;
    const { split, generation } = lane;
    const state = split.phase === 'log' ? await ledger.flow(plan.key) : undefined;
    return runLane({
      plan,
      split,
      generation,
      at: lane.at,
      unending: unending && split.phase === 'log',
      acknowledges: lane.acknowledges,
      acknowledgesStart: lane.acknowledgesStart,
      isEnough: (position) => lane.upTo !== undefined && this.compare!(split, position, lane.upTo) >= 0,
      streams: attempt.plansOf(split),
      branches: lane.branches.map(({ sink, position }) => ({
        sink,
        position,
        job: sinkJobOf(run, sink),
        target: { ledger, lease: attempt.lease, key: sink.key },
        tolerance,
        refused: this.refusedBy(sink, split, position),
        copies: state ? copiesIn(state, sink.key.sink) : NO_COPIES,
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
      sinks,
      tolerant: tolerance !== undefined,
      context,
      intake,
      stop,
      rung,
      clock,
    });
  }
}
