/** A stream whose shape has changed in a way that no change tells is asked for once more. */
import type { KnownSchema } from '../ledger/known-schema.js';
import type { StreamPlan } from '../plan/flow-plan.js';
import { leavesRowsStale } from '../plan/stale-rows.js';
import type { Attempt } from './attempt.js';

/** Whether it was. Before the new shape is known to the ledger: whoever comes upon it again asks again. */
export async function requestIfStale(
  attempt: Attempt,
  known: KnownSchema,
  plan: StreamPlan,
  begun: ReadonlySet<string>,
): Promise<boolean> {
  if (!leavesRowsStale(known, plan, begun)) return false;
  const { plan: flow, ledger, context } = attempt.run;
  context.log.warn(
    `stream ${plan.stream} has changed in a way that its log does not tell: it is copied once more`,
  );
  await ledger.requestCopies(flow.key, [plan.stream]);
  return true;
}
