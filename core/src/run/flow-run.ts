/**
 * One attempt at a flow, from wherever the last one left it: settle, plan what is missing, run the lanes, publish.
 * Every step may be the last one before a crash; each is safe to repeat.
 */
import type { DetachedSink } from '../plan/flow-plan.js';
import { Attempt, type FlowRun, type StreamEnd } from './attempt.js';
import { LanePool } from './lane-pool.js';
import { copyStreams, type LogsEnd, readLogs } from './lane-turns.js';
import { LiveSinks } from './live-sinks.js';
import { joinLogs, planSplits } from './plan-splits.js';
import { prepareTargets } from './prepare-targets.js';
import { publishStreams } from './publish-streams.js';
import { settle } from './settle.js';

export interface FlowEnd extends LogsEnd {
  readonly streams: readonly StreamEnd[];
  /** Sinks that were left behind on the way. */
  readonly detached: readonly DetachedSink[];
}

export async function runFlow(run: FlowRun): Promise<FlowEnd> {
  const sinks = new LiveSinks(run.plan.sinks, run.context.signal, run.onDetach);
  const starts = await settle({ ...run, sinks });
  const attempt = new Attempt(
    run,
    sinks,
    starts.filter(({ action }) => action !== 'done'),
  );
  const state = await joinLogs(attempt, await planSplits(attempt));
  await prepareTargets(attempt, state);
  const pool = new LanePool(attempt);
  const stopped = await copyStreams(attempt, pool, state);
  const published = await publishStreams(attempt);
  const end = stopped ? { stopped } : await readLogs(attempt, pool, state);
  const done = starts.flatMap(({ stream, generation, done }) =>
    done.map((sink): StreamEnd => ({ sink, stream, generation, complete: true })),
  );
  return { ...end, streams: [...done, ...published], detached: sinks.detached };
}
