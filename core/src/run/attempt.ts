/** One attempt at a flow: what it runs with, and what its steps share. */
import type { Context, Lag, Rung, Split } from '@sluice/sdk';
import type { Clock } from '../clock.js';
import type { Tolerance } from '../dead-letters/letter-box.js';
import type { EpochStats, FlowState, Lease, Ledger, LedgerSplit } from '../ledger/ledger.js';
import type { DetachedSink, FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { splitsOf } from './flow-splits.js';
import type { Metering } from './intake.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { LiveSinks } from './live-sinks.js';
import type { StreamStart } from './reconcile.js';
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
  /** The source keeps more of a log than the job allows, in bytes. */
  readonly onOver: (split: Split, kept: number) => void;
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

export class Attempt {
  /** By stream, as they are now: a stream that changes on the way is planned anew. */
  readonly plans: Map<string, StreamPlan>;
  /** Whether streams are to be copied once more, since their shape has changed. */
  asksForCopies = false;

  constructor(
    readonly run: FlowRun,
    readonly sinks: LiveSinks,
    /** The streams of which something is to be done. */
    readonly starts: readonly StreamStart[],
  ) {
    this.plans = new Map(run.plan.streams.map((plan) => [plan.stream, plan]));
  }

  get lease(): Lease {
    return this.run.keeper.lease;
  }

  planOf(stream: string): StreamPlan {
    return this.plans.get(stream)!;
  }

  /** The plan with its streams as they are now. */
  planNow(): FlowPlan {
    const { plan } = this.run;
    return { ...plan, streams: plan.streams.map(({ stream }) => this.planOf(stream)) };
  }

  /** A log may have streams that the job does not read any more. */
  plansOf({ streams }: Split): StreamPlan[] {
    return streams.flatMap((stream) => this.plans.get(stream) ?? []);
  }

  splitsOf(state: FlowState): LedgerSplit[] {
    return splitsOf(state, new Map(this.starts.map(({ stream, generation }) => [stream, generation])));
  }
}
