/** In which order splits are read: copies before the logs that go on from them, or in turns with those. */
import type { FlowState, LedgerSplit } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import type { Attempt } from './attempt.js';
import { sleep } from './backoff.js';
import { withoutIdle } from './idle-lanes.js';
import { catchingUp } from './lane-groups.js';
import type { LanePool } from './lane-pool.js';
import type { LogGuardian } from './log-guardian.js';
import { newcomers } from './newcomers.js';

/**
 * Copies what is not sealed everywhere, and polls; true when a stop left some of it unfinished. Where streams are
 * copied that join a log which is being followed, copying and following take turns, so that neither waits for the
 * other to end. They never go on at once: whatever a turn of the log does not see of the copy before it, the next will.
 */
export async function copyStreams(
  attempt: Attempt,
  pool: LanePool,
  before: FlowState,
  guardian: LogGuardian,
): Promise<boolean> {
  const { ledger, plan } = attempt.run;
  const stop = AbortSignal.any([attempt.run.stop, guardian.over]);
  const all = attempt.splitsOf(before);
  const [logs, others] = [all.filter(isLog), all.filter((split) => !isLog(split))];
  let state = before;
  for (let turnMs = COPY_MS; ; ) {
    const pause = new AbortController();
    const { commits } = pool;
    const followed = logs.some(({ split }) => hasBegun(state, split.id));
    const timer = followed ? setTimeout(() => pause.abort(), turnMs) : undefined;
    try {
      const pauses = followed ? [pause.signal, guardian.pause()] : [];
      const end = AbortSignal.any([stop, ...pauses]);
      const lanes = await withoutIdle(attempt, pool.lanesOf(others, state));
      const stopped = await pool.run(lanes, end);
      if (!stopped) return false;
    } finally {
      clearTimeout(timer);
    }
    if (stop.aborted) return true;
    // What comes to no checkpoint within a turn would begin anew in each of them.
    if (pool.commits === commits) turnMs *= 2;
    if (await pool.run(pool.lanesOf(logs, await ledger.flow(plan.key)), stop)) return true;
    state = await ledger.flow(plan.key);
  }
}

/** How the reading of logs ended. */
export interface LogsEnd {
  readonly stopped: boolean;
  /** Streams have come that are to be taken in: the flow goes on with this plan. */
  readonly renewed?: FlowPlan;
}

/**
 * Reads logs, once all that they go on from has been copied: what was changed meanwhile comes last. Up to where they
 * end now or, where the run follows them, until it is stopped or until streams have come that are to be taken in.
 */
export async function readLogs(
  attempt: Attempt,
  pool: LanePool,
  before: FlowState,
  guardian: LogGuardian,
): Promise<LogsEnd> {
  const { ledger, plan, follow, context } = attempt.run;
  const stop = AbortSignal.any([attempt.run.stop, guardian.over]);
  const logs = attempt.splitsOf(before).filter(isLog);
  if (logs.length === 0) return { stopped: false };
  for (;;) {
    const all = pool.lanesOf(logs, await ledger.flow(plan.key));
    const lanes = follow ? catchingUp(all, pool.compare) : all;
    // Sinks at places of their own read in turns until they meet.
    const unending = follow && all.length === logs.length;
    const turn = new AbortController();
    const looking = follow ? newcomers(attempt, turn.signal) : undefined;
    const renewing = looking?.then((renewed) => {
      turn.abort();
      return renewed;
    });
    await pool.run(lanes, AbortSignal.any([stop, turn.signal]), unending).finally(() => turn.abort());
    const renewed = await renewing;
    if (stop.aborted) return { stopped: true, ...(renewed && { renewed }) };
    if (renewed !== undefined) return { stopped: false, renewed };
    if (!follow) return { stopped: false, ...(attempt.asksForCopies && { renewed: attempt.planNow() }) };
    await sleep(TURN_MS, AbortSignal.any([stop, context.signal]));
    if (stop.aborted) return { stopped: true };
  }
}

export function isLog({ split }: LedgerSplit): boolean {
  return split.phase === 'log';
}

/** Whether any sink has something of a split. */
function hasBegun({ sinks }: FlowState, split: string): boolean {
  return Object.values(sinks).some(({ positions }) => (positions[split]?.epoch ?? 0) > 0);
}

/** Milliseconds for which streams that join a log are copied before the log has its turn. */
const COPY_MS = 2000;

/** Milliseconds between the turns of sinks that read one log from places of their own. */
const TURN_MS = 200;
