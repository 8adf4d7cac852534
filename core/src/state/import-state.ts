/** Takes exported state into a ledger that has none of the job. */
import { isDeepStrictEqual } from 'node:util';
import { failpoint } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { FlowState, Ledger } from '../ledger/ledger.js';
import type { JobPlan } from '../plan/plan-job.js';
import { checkIdentities } from '../run/reconcile.js';
import { holdJob } from './hold-job.js';
import { readStateDocument, type StateDocument } from './state-document.js';

/**
 * Flow by flow; one that is there already as the document has it stays, so that an import that was interrupted is
 * repeated. Rejects, having changed nothing, with `SLUICE-CORE-0133` (no state of this job), `0132` (the job has other
 * state) or `0105` (it belongs to other systems than the job's).
 */
export async function importState(ledger: Ledger, plan: JobPlan, value: unknown): Promise<StateDocument> {
  const document = readStateDocument(value);
  const { name: job } = plan;
  if (document.job !== job) {
    throw coreErrors.stateDocumentInvalid(`it is state of job ${document.job}, and this is ${job}`);
  }
  checkSystems(document, plan);
  const flows = Object.entries(document.flows);
  await holdJob(ledger, job, async ({ lease }) => {
    for (const [flow, state] of flows) requireNoOther(await ledger.flow({ job, flow }), state, flow);
    for (const [flow, state] of flows) {
      failpoint('import.before-flow');
      await ledger.replaceFlow(lease, { job, flow }, state);
      failpoint('import.after-flow');
    }
  });
  return document;
}

function checkSystems({ flows }: StateDocument, plan: JobPlan): void {
  for (const { key, sourceIdentity, sinks } of plan.flows) {
    for (const { key: sink, identity } of sinks) {
      const held = flows[key.flow]?.sinks[sink.sink];
      checkIdentities(held, { source: sourceIdentity, target: identity });
    }
  }
}

function requireNoOther(known: FlowState, wanted: FlowState, flow: string): void {
  const empty = Object.keys(known.streams).length + Object.keys(known.sinks).length === 0;
  if (empty || isDeepStrictEqual(known, wanted)) return;
  throw coreErrors.stateExists(`the ledger has state of flow ${flow}, and not that of the document`);
}
