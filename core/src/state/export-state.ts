/** The state of a job as one document. */
import type { FlowState, Ledger } from '../ledger/ledger.js';
import { STATE_FORMAT, type StateDocument } from './state-document.js';

/** All that the next run of a job goes by: no history, and no secret. Resolves also for a job that has never run. */
export async function exportState(ledger: Ledger, job: string, now: number): Promise<StateDocument> {
  const flows: [string, FlowState][] = [];
  for (const flow of await ledger.flows(job)) flows.push([flow, await ledger.flow({ job, flow })]);
  return {
    format: STATE_FORMAT,
    version: 1,
    job,
    exportedAt: new Date(now).toISOString(),
    flows: Object.fromEntries(flows),
  };
}
