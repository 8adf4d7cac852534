/**
 * A flow that goes on without a stream. The lane has been given up to its last commit; the ledger is told, and the flow
 * begins another attempt, which takes the stream out of the log's plan before anything is read. Killed in between, the
 * next run meets the same error, or finds the record.
 *
 * What is out of the log's plan was not read meanwhile, and is copied anew when it comes back: it does when a copy of it
 * is asked for, or when everything is copied anew.
 */
import { failpoint, toSluiceError } from '@sluice/sdk';
import type { Lease, Ledger } from '../ledger/ledger.js';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { leftOut, noneLeft, type QuarantinedStream, streamToLeave } from '../plan/quarantined-stream.js';
import { tablesOf } from '../plan/routed-table.js';

/** The stream that a failure belongs to, where the flow can go on without it: never the last one. */
export function streamToQuarantine({ streams }: FlowPlan, error: unknown): string | undefined {
  if (streams.length === 1) return undefined;
  return streamToLeave(
    toSluiceError(error),
    streams.map((plan) => ({ ...plan, arrivesAs: arrivals(plan) })),
  );
}

function arrivals({ targets }: StreamPlan): string[] {
  return Object.values(targets).flatMap(({ table }) => tablesOf(table).map(({ stream }) => stream));
}

/** Writes down that the flow goes on without a stream, and leaves it out. */
export async function quarantine(
  plan: FlowPlan,
  { stream, error }: Pick<QuarantinedStream, 'stream' | 'error'>,
  { ledger, lease, at }: { readonly ledger: Ledger; readonly lease: Lease; readonly at: number },
): Promise<FlowPlan> {
  failpoint('quarantine.before-ledger');
  await ledger.quarantine(lease, plan.key, stream, { at, error });
  failpoint('quarantine.after-ledger');
  return without(plan, [{ stream, error, at }]);
}

/**
 * The plan without what the ledger leaves out, which a plan may not have known. Throws `SLUICE-CORE-0117` where nothing
 * is left.
 */
export async function withoutQuarantined(plan: FlowPlan, ledger: Ledger): Promise<FlowPlan> {
  const known = await leftOut(ledger, plan.key, plan.fresh);
  const own = known.filter(({ stream }) => plan.streams.some((each) => each.stream === stream));
  const left = without(plan, own);
  if (left.streams.length === 0) throw noneLeft(plan.key, left.quarantined);
  return left;
}

function without(plan: FlowPlan, left: readonly QuarantinedStream[]): FlowPlan {
  const isLeft = ({ stream }: { readonly stream: string }) => left.some((each) => each.stream === stream);
  return {
    ...plan,
    streams: plan.streams.filter((each) => !isLeft(each)),
    quarantined: [...plan.quarantined.filter((each) => !isLeft(each)), ...left],
  };
}
