/** Runs a planned job: lease, attempts with backoff, events, result. */

import { randomUUID } from 'node:crypto';
import { type Context, type JsonObject, type Logger, type Rung, silentLogger } from '@sluice/sdk';
import { type Clock, systemClock } from '../clock.js';
import { ledgerStore, type Tolerance } from '../dead-letters/letter-box.js';
import { RejectLimit } from '../dead-letters/reject-limit.js';
import { SinkLetters } from '../dead-letters/sink-letters.js';
import { coreErrors } from '../errors.js';
import { eventError } from '../event-error.js';
import type {
  DetachedResult,
  EventError,
  QuarantinedResult,
  RunEvent,
  RunListener,
  RunResult,
  StreamResult,
} from '../events.js';
import { currentHolder } from '../ledger/holder.js';
import type { Ledger, RunStatus } from '../ledger/ledger.js';
import type { DetachedSink, FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { withSpool } from '../spool/with-spool.js';
import { defaultRetry, isPassing, type RetryPolicy, retryDelay, sleep } from './backoff.js';
import { Budget } from './budget.js';
import { type FlowEnd, runFlow } from './flow-run.js';
import type { Metering } from './intake.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Pace } from './pace.js';
import { quarantine, streamToQuarantine, withoutQuarantined } from './quarantine.js';
import { StreamCounter } from './stream-counter.js';

export interface RunOptions {
  readonly plan: JobPlan;
  readonly ledger: Ledger;
  readonly listener?: RunListener;
  readonly log?: Logger;
  /** Aborted: stop reading, commit what is complete up to a checkpoint, leave. */
  readonly stop?: AbortSignal;
  /** Aborted: leave now; what is not committed is read again by the next run. */
  readonly abort?: AbortSignal;
  /** Takes every batch down to this rung, to compare results between rungs. */
  readonly rung?: Rung;
  /** Read logs on and on until `stop`: the run ends by itself only with an error that does not pass. */
  readonly follow?: boolean;
  readonly retry?: RetryPolicy;
  /** How long the lease lives without being renewed. */
  readonly leaseMs?: number;
  /** Folder for what sources give that cannot be read again, until all sinks have it; by default one of this run's own. */
  readonly spool?: string;
  /** The system's, but in tests. */
  readonly clock?: Clock;
  /** How often progress is reported. */
  readonly progressMs?: number;
  /** Told of the error that ends the run, whose causes and stack the result does not carry. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Runs the job. Resolves with the result also when the run failed: `result.error` says why. Rejects only when it
 * could not begin: another run holds the job (`SLUICE-CORE-0101`) or the ledger cannot be used. Closes the plan.
 */
export async function runJob(options: RunOptions): Promise<RunResult> {
  const run = randomUUID();
  const { plan, ledger, leaseMs = 30_000, log = silentLogger, clock } = options;
  try {
    const lease = await ledger.acquire(plan.name, currentHolder(run), leaseMs);
    const keeper = new LeaseKeeper(ledger, lease, leaseMs, log, clock);
    try {
      return await new JobRun(run, options, keeper).run();
    } finally {
      await keeper.end();
    }
  } finally {
    await plan.close();
  }
}

class JobRun {
  /** By name, in the job's order. */
  private readonly flows = new Map<string, FlowPlan>();
  private readonly counters = new Map<string, StreamCounter>();
  private readonly ends = new Map<string, { generation: number; complete: boolean }>();
  /** By flow: the sinks that its last attempt went on without. */
  private readonly detached = new Map<string, readonly DetachedSink[]>();
  private readonly clock: Clock;
  private readonly startedAt: number;
  private readonly budget: Budget;
  private readonly pace: Pace | undefined;
  private readonly tolerance: Tolerance | undefined;
  private readonly letters: SinkLetters | undefined;
  private committed = 0;
  private stopped = false;

  constructor(
    private readonly id: string,
    private readonly options: RunOptions,
    private readonly keeper: LeaseKeeper,
  ) {
    const { plan, ledger, clock = systemClock } = options;
    this.clock = clock;
    this.startedAt = clock.wall();
    this.budget = new Budget(plan.batchMemory);
    this.pace = plan.rate && new Pace(plan.rate, clock.steady);
    this.letters =
      plan.letters &&
      new SinkLetters(plan.letters, {
        job: plan.name,
        ledger,
        lease: () => keeper.lease,
        raise: (above) => keeper.raise(above),
        context: this.context(),
      });
    this.tolerance = plan.errors && {
      store: this.letters ?? ledgerStore(ledger, () => keeper.lease),
      limit: new RejectLimit(plan.errors, clock.steady),
    };
    for (const flow of plan.flows) this.take(flow);
  }

  /** Counts for a flow, as it is planned now; streams that have left it stay in the result. */
  private take(flow: FlowPlan): void {
    const { flow: name } = flow.key;
    const before = this.flows.get(name)?.streams ?? [];
    const left = before.filter(({ stream }) => flow.streams.every((each) => each.stream !== stream));
    this.flows.set(name, { ...flow, streams: [...flow.streams, ...left] });
    for (const { stream, sink } of targetsOf([flow])) {
      const key = targetKey(flow, sink, stream.stream);
      if (!this.counters.has(key)) this.counters.set(key, new StreamCounter());
    }
  }

  async run(): Promise<RunResult> {
    const { plan, ledger, progressMs = 500 } = this.options;
    const { fence } = this.keeper.lease;
    const { startedAt } = this;
    await ledger.startRun(this.keeper.lease, {
      run: this.id,
      job: plan.name,
      status: 'running',
      startedAt,
      fence,
    });
    this.emit({ event: 'run.started', fence: fence.toString() });
    const progress = setInterval(() => this.reportProgress(), progressMs);
    let error: unknown;
    try {
      await this.letters?.open();
      const { follow = false } = this.options;
      for (const flow of follow ? followable(plan.flows) : plan.flows) await this.runFlow(flow);
    } catch (caught) {
      error = caught;
      this.options.onFailure?.(caught);
    }
    clearInterval(progress);
    this.reportProgress();
    await this.letters?.close();
    // Before the end is recorded: a process that dies while its systems are closed has not ended its run.
    await plan.close();
    const result = this.result(error);
    try {
      await ledger.endRun(this.id, result.status, result.endedAt, result as unknown as JsonObject);
    } catch (caught) {
      this.options.log?.error('the end of the run could not be recorded', { error: String(caught) });
    }
    this.emit({ event: 'run.ended', result });
    return result;
  }

  /**
   * One flow, again and again while what goes wrong may pass by itself: also for a sink that the flow has gone on
   * without, which is then caught up alone.
   */
  private async runFlow(plan: FlowPlan): Promise<void> {
    if (plan.capabilities.replay) return this.attempts(plan);
    await withSpool(plan, this.options.spool, this.context(), (spooled) => this.attempts(spooled));
  }

  private async attempts(planned: FlowPlan): Promise<void> {
    let flow = await this.begin(planned);
    const stop = this.options.stop ?? NEVER;
    const { follow = false } = this.options;
    const { retry = follow ? { ...defaultRetry, attempts: Infinity } : defaultRetry } = this.options;
    const paces = [this.pace, flow.rate && new Pace(flow.rate, this.clock.steady)].filter(
      (pace) => pace !== undefined,
    );
    const metering = { budget: this.budget, paces };
    let failures = 0;
    /** Whether what this run has begun anew is to be gone on with. */
    let retried = false;
    for (;;) {
      const before = this.committed;
      let behind: DetachedSink | undefined;
      let failure: unknown;
      try {
        const attempt = this.attempt(flow, metering, stop, retried);
        retried = true;
        const end = await attempt;
        for (const { sink, stream, generation, complete } of end.streams) {
          this.ends.set(targetKey(flow, sink, stream), { generation, complete });
        }
        this.stopped ||= end.stopped;
        if (end.renewed !== undefined && !end.stopped) {
          flow = await this.begin(end.renewed, flow);
          retried = end.anew !== true;
          await this.keeper.raise(this.keeper.lease.fence);
          continue;
        }
        behind = end.detached.find(({ error }) => isPassing(error));
        if (behind === undefined || end.stopped) return;
        failure = behind.error;
      } catch (error) {
        failure = error;
      }
      if (this.keeper.signal.aborted) throw this.keeper.signal.reason;
      if (this.options.abort?.aborted) {
        this.stopped = true;
        return;
      }
      const left = behind === undefined ? streamToQuarantine(flow, failure) : undefined;
      if (left !== undefined) {
        flow = await this.quarantine(flow, left, eventError(failure));
        await this.keeper.raise(this.keeper.lease.fence);
        continue;
      }
      failures = this.committed > before ? 1 : failures + 1;
      const delayMs = retryDelay(failure, failures, retry, Math.random);
      if (delayMs === undefined) {
        if (behind !== undefined) return;
        throw failure;
      }
      this.emit({
        event: 'flow.retrying',
        flow: flow.key.flow,
        attempt: failures,
        delayMs,
        error: eventError(failure),
      });
      await sleep(delayMs, AbortSignal.any([stop, this.keeper.signal, this.options.abort ?? NEVER]));
      if (stop.aborted) {
        this.stopped = true;
        return;
      }
      await this.keeper.raise(this.keeper.lease.fence);
    }
  }

  /**
   * A plan that the run goes on with. What it is without is told, unless `before` was without it as well, and written
   * down where the plan could not take it in.
   */
  private async begin(plan: FlowPlan, before?: FlowPlan): Promise<FlowPlan> {
    let flow = await withoutQuarantined(plan, this.options.ledger);
    const { flow: name } = flow.key;
    for (const { stream, at, error } of flow.quarantined) {
      if (at === undefined) flow = await this.quarantine(flow, stream, error);
      else if (before?.quarantined.every((each) => each.stream !== stream) ?? true)
        this.emit({ event: 'stream.quarantined', flow: name, stream, since: at, error });
    }
    this.take(flow);
    return flow;
  }

  private async quarantine(flow: FlowPlan, stream: string, error: EventError): Promise<FlowPlan> {
    const { ledger } = this.options;
    const at = this.clock.wall();
    this.tolerance?.limit.forget({ flow: flow.key.flow, stream });
    const left = await quarantine(flow, { stream, error }, { ledger, lease: this.keeper.lease, at });
    this.emit({ event: 'stream.quarantined', flow: flow.key.flow, stream, since: at, error });
    for (const { key } of flow.sinks) {
      const end = this.ends.get(targetKey(flow, key.sink, stream));
      if (end !== undefined) end.complete = false;
    }
    this.take(left);
    return left;
  }

  private attempt(flow: FlowPlan, metering: Metering, stop: AbortSignal, retried: boolean): Promise<FlowEnd> {
    const { ledger, rung } = this.options;
    const name = flow.key.flow;
    this.detached.set(name, flow.detached);
    return runFlow({
      plan: flow,
      ledger,
      keeper: this.keeper,
      context: { ...this.context(), flow: `${flow.key.job}/${name}` },
      metering,
      stop,
      retried,
      follow: this.options.follow ?? false,
      counter: (sink, stream) => this.counters.get(targetKey(flow, sink, stream))!,
      tolerance: this.tolerance,
      rung,
      clock: this.clock,
      onStart: (sink, stream, start, splits) => {
        const { generation } = start;
        const { table, guarantee } = stream.targets[sink]!;
        this.ends.set(targetKey(flow, sink, stream.stream), { generation, complete: false });
        this.emit({
          event: 'stream.started',
          flow: name,
          stream: stream.stream,
          sink,
          target: table.target,
          generation,
          guarantee,
          fresh: start.action === 'begin',
          splits: splits.length,
          ...estimates(stream),
        });
      },
      onLag: (split, lag) => this.emit({ event: 'log.lag', flow: name, split: split.id, ...lag }),
      onOver: (split, kept) => {
        const { keep = 0, whenOver } = flow.changes;
        this.emit({ event: 'log.over', flow: name, split: split.id, kept, keep, whenOver });
      },
      onCommit: ({ sink, split, generation, epoch, stats: { rows, bytes }, sealed, delayMs }) => {
        this.committed++;
        this.emit({
          event: 'epoch.committed',
          flow: name,
          sink,
          split: split.id,
          generation,
          epoch,
          rows,
          bytes,
          sealed,
          ...(delayMs !== undefined && { delayMs }),
        });
      },
      onPublish: (sink, { stream, targets }, generation) => {
        this.committed++;
        const { target } = targets[sink]!.table;
        this.emit({ event: 'stream.published', flow: name, stream, sink, target, generation });
      },
      onDetach: ({ sink, error }) => {
        this.detached.set(name, [...(this.detached.get(name) ?? []), { sink, error }]);
        this.emit({ event: 'sink.detached', flow: name, sink, error: eventError(error) });
      },
    });
  }

  private context(): Context {
    const { plan, log = silentLogger, abort = NEVER } = this.options;
    const signal = AbortSignal.any([abort, this.keeper.signal]);
    return { signal, log, cwd: plan.cwd, memory: plan.connectorMemory };
  }

  private result(error: unknown): RunResult {
    const { plan } = this.options;
    const streams = targetsOf(this.flows.values()).map(({ flow, sink, stream }): StreamResult => {
      const key = targetKey(flow, sink, stream.stream);
      const { generation = 0, complete = false } = this.ends.get(key) ?? {};
      const { table, guarantee } = stream.targets[sink]!;
      return {
        flow: flow.key.flow,
        stream: stream.stream,
        sink,
        target: table.target,
        generation,
        guarantee,
        complete,
        ...this.counters.get(key)!.counts,
      };
    });
    const detached = plan.flows.flatMap(({ key: { flow }, detached }) =>
      (this.detached.get(flow) ?? detached).map(
        ({ sink, error }): DetachedResult => ({ flow, sink, error: eventError(error) }),
      ),
    );
    const quarantined = [...this.flows.values()].flatMap(({ key: { flow }, quarantined }) =>
      quarantined.flatMap(({ stream, at, error }): QuarantinedResult[] =>
        at === undefined ? [] : [{ flow, stream, since: at, error }],
      ),
    );
    const status: Exclude<RunStatus, 'running'> =
      error !== undefined ? 'failed' : this.stopped ? 'stopped' : 'succeeded';
    return {
      job: plan.name,
      run: this.id,
      status,
      startedAt: this.startedAt,
      endedAt: this.clock.wall(),
      rows: streams.reduce((sum, { committed }) => sum + committed, 0),
      bytes: bytesRead(streams),
      streams,
      ...(detached.length > 0 && { detached }),
      ...(quarantined.length > 0 && { quarantined }),
      ...(error !== undefined && { error: eventError(error) }),
    };
  }

  private reportProgress(): void {
    for (const { flow, sink, stream } of targetsOf(this.flows.values())) {
      const { counts } = this.counters.get(targetKey(flow, sink, stream.stream))!;
      if (counts.read === 0) continue;
      this.emit({
        event: 'stream.progress',
        flow: flow.key.flow,
        stream: stream.stream,
        sink,
        counts: { ...counts },
      });
    }
  }

  private emit(event: DistributiveOmit<RunEvent, 'at' | 'job' | 'run'>): void {
    this.options.listener?.({
      at: this.clock.wall(),
      job: this.options.plan.name,
      run: this.id,
      ...event,
    } as RunEvent);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const NEVER = new AbortController().signal;

/** The flow that is followed comes last. Throws `SLUICE-CORE-0008` where there would be several. */
function followable(flows: readonly FlowPlan[]): readonly FlowPlan[] {
  const isLogged = ({ streams }: FlowPlan) => streams.some(({ read }) => read.mode === 'cdc');
  const followed = flows.filter(isLogged);
  if (followed.length > 1) {
    const names = followed.map(({ key }) => key.flow).join(', ');
    throw coreErrors.refused(`one flow of a job can be followed, and these read changes: ${names}`);
  }
  return [...flows.filter((flow) => !isLogged(flow)), ...followed];
}

/** Every stream with every sink that takes it, in the order of the plan. */
function targetsOf(flows: Iterable<FlowPlan>): { flow: FlowPlan; sink: string; stream: StreamPlan }[] {
  return [...flows].flatMap((flow) =>
    flow.streams.flatMap((stream) => Object.keys(stream.targets).map((sink) => ({ flow, sink, stream }))),
  );
}

function targetKey({ key: { flow } }: FlowPlan, sink: string, stream: string): string {
  return `${flow}\n${sink}\n${stream}`;
}

/** What several sinks share was read once; the one that took most of a stream tells how much. */
function bytesRead(streams: readonly StreamResult[]): number {
  const most = new Map<string, number>();
  for (const { flow, stream, bytes } of streams) {
    const key = `${flow}\n${stream}`;
    most.set(key, Math.max(most.get(key) ?? 0, bytes));
  }
  return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function estimates({ catalog: { estimatedRows, estimatedBytes } }: StreamPlan) {
  return {
    ...(estimatedRows !== undefined && { estimatedRows }),
    ...(estimatedBytes !== undefined && { estimatedBytes }),
  };
}

/** The exit code that a program gets for a result or for an error that kept a run from beginning. */
export function exitCodeOf(error: { readonly class: string; readonly code: string } | undefined): number {
  if (error === undefined) return 0;
  if (error.code === coreErrors.held.entry.code) return 75;
  switch (error.class) {
    case 'config':
      return 2;
    case 'auth':
      return 3;
    case 'contract':
      return 4;
    case 'data':
      return 5;
    case 'transient':
    case 'throttled':
      return 75;
    default:
      return 1;
  }
}
