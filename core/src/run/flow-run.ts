/**
 * One attempt at a flow, from wherever the last one left it: settle, plan what is missing, run the lanes, publish.
 * Every step may be the last one before a crash; each is safe to repeat.
 */
import type { SluiceError } from '@sluice/sdk';
import type { DetachedSink } from '../plan/flow-plan.js';
import { Attempt, type FlowRun, type StreamEnd } from './attempt.js';
import { LanePool } from './lane-pool.js';
import { copyStreams, isLog, type LogsEnd, readLogs } from './lane-turns.js';
import { LiveSinks } from './live-sinks.js';
import { LogGuardian } from './log-guardian.js';
import { joinLogs, planSplits } from './plan-splits.js';
import { prepareTargets } from './prepare-targets.js';
import { publishStreams } from './publish-streams.js';
import { streamToQuarantine } from './quarantine.js';
import type { StreamStart } from './reconcile.js';
import { settle } from './settle.js';

export interface FlowEnd extends LogsEnd {
  /** The plan to go on with begins a new generation, as it says. */
  readonly anew?: true;
  readonly streams: readonly StreamEnd[];
  /** Sinks that were left behind on the way. */
  readonly detached: readonly DetachedSink[];
}

export async function runFlow(run: FlowRun): Promise<FlowEnd> {
  const isOfStream = (error: SluiceError) => streamToQuarantine(run.plan, error) !== undefined;
  const sinks = new LiveSinks(run.plan.sinks, run.context.signal, run.onDetach, isOfStream);
  const starts = await settle({ ...run, sinks });
  const attempt = new Attempt(
    run,
    sinks,
    starts.filter(({ action }) => action !== 'done'),
  );
  const state = await joinLogs(attempt, await planSplits(attempt));
  await prepareTargets(attempt, state);
  const pool = new LanePool(attempt);
  const guardian = new LogGuardian(run, attempt.splitsOf(state).filter(isLog));
  try {
    const stopped = await copyStreams(attempt, pool, state, guardian);
    const published = await publishStreams(attempt);
    const end = stopped ? { stopped } : await readLogs(attempt, pool, state, guardian);
    return {
      ...flowEnd(end, run, guardian),
      streams: [...doneBefore(starts), ...published],
      detached: sinks.detached,
    };
  } finally {
    guardian.end();
  }
}

/** What was complete before. */
function doneBefore(starts: readonly StreamStart[]): StreamEnd[] {
  return starts.flatMap(({ stream, generation, done }) =>
    done.map((sink): StreamEnd => ({ sink, stream, generation, complete: true })),
  );
}

/** Where the log was given up the flow goes on with a new generation of all that was read from it. */
function flowEnd(
  end: LogsEnd,
  { plan, stop }: FlowRun,
  { over }: LogGuardian,
): LogsEnd & Pick<FlowEnd, 'anew'> {
  if (!over.aborted || stop.aborted) return end;
  const fresh = plan.streams.flatMap(({ stream, read }) => (read.mode === 'cdc' ? [stream] : []));
  return { stopped: false, renewed: { ...plan, fresh }, anew: true };
}
