/** Work on the state of a job while no run of it can begin. */
import { randomUUID } from 'node:crypto';
import { type Context, type Logger, silentLogger } from '@sluice/sdk';
import { currentHolder } from '../ledger/holder.js';
import type { Ledger } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { LeaseKeeper } from '../run/lease-keeper.js';
import { LiveSinks } from '../run/live-sinks.js';
import type { Settling } from '../run/settle.js';

const LEASE_MS = 30_000;

/** Holds the job's lease meanwhile. Rejects with `SLUICE-CORE-0101` while a run is under way. */
export async function holdJob<T>(
  ledger: Ledger,
  job: string,
  work: (keeper: LeaseKeeper) => Promise<T>,
  log: Logger = silentLogger,
): Promise<T> {
  const lease = await ledger.acquire(job, currentHolder(randomUUID()), LEASE_MS);
  const keeper = new LeaseKeeper(ledger, lease, LEASE_MS, log);
  try {
    return await work(keeper);
  } finally {
    await keeper.end();
  }
}

/**
 * What taking stock of a flow needs. Every sink must answer: state that is changed without one of them would be
 * another one there. `fresh` asks nothing of the streams themselves.
 */
export function settling(
  flow: FlowPlan,
  { cwd, connectorMemory }: JobPlan,
  ledger: Ledger,
  keeper: LeaseKeeper,
  log: Logger = silentLogger,
): Settling {
  const [unreachable] = flow.detached;
  if (unreachable !== undefined) throw unreachable.error;
  const sinks = flow.sinks.map((sink) => ({ ...sink, onFailure: 'stop' as const }));
  const context: Context = { signal: keeper.signal, log, cwd, memory: connectorMemory };
  return {
    plan: { ...flow, sinks, fresh: ['*'] },
    ledger,
    keeper,
    context,
    sinks: new LiveSinks(
      sinks,
      keeper.signal,
      () => {},
      () => false,
    ),
    retried: false,
  };
}
