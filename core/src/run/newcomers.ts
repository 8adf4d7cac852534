/** Looks, while a flow follows its logs, whether streams are to be copied: that have come, come back, or are asked for. */
import type { FlowPlan } from '../plan/flow-plan.js';
import type { Attempt } from './attempt.js';
import { sleep } from './backoff.js';

/**
 * The plan to go on with, once there are any; nothing when the signal, or the end of the run, comes before that. What
 * goes wrong on the way can wait.
 */
export async function newcomers(attempt: Attempt, until: AbortSignal): Promise<FlowPlan | undefined> {
  const { plan, ledger, context, stop, clock } = attempt.run;
  const signal = AbortSignal.any([until, stop, context.signal]);
  for (let rest = LOOK_MS; ; rest -= REQUEST_MS) {
    await sleep(REQUEST_MS, signal);
    if (signal.aborted) return undefined;
    try {
      const wanted = await ledger.requestedCopies(plan.key);
      const back = wanted.filter((stream) => !attempt.plans.has(stream));
      if (back.length < wanted.length) return attempt.planNow();
      if (rest > 0 && back.length === 0) continue;
      const began = clock.steady();
      const renewed = await plan.renewed?.(back, { ...context, signal });
      const found = [...(renewed?.streams ?? []), ...(renewed?.quarantined ?? [])];
      const gone = back.filter((stream) => found.every((each) => each.stream !== stream));
      if (gone.length > 0) await ledger.dropCopyRequests(attempt.lease, plan.key, gone);
      if (renewed !== undefined) return renewed;
      rest = Math.max(LOOK_MS, (clock.steady() - began) * LEISURE);
    } catch (error) {
      if (signal.aborted) return undefined;
      context.log.warn('streams that have come cannot be taken in', { error: String(error) });
      await sleep(LOOK_MS, signal);
      rest = 0;
    }
  }
}

/** Milliseconds between looks for streams that have come, and how many times as long as a look that is at least. */
const LOOK_MS = 10_000;
const LEISURE = 50;

/** Milliseconds between looks for copies that are asked for. */
const REQUEST_MS = 1000;
