/**
 * Makes ledger and sinks agree where a run refuses to decide: systems that are others than recorded are taken for the
 * ones that are meant, a sink that has lost its record gets it back from the ledger, and a ledger that was lost takes
 * over the sinks' records. Each step may be the last; the same command again does the rest.
 */
import { failpoint, type Logger } from '@sluice/sdk';
import type { FlowState, Ledger } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { attachAll, keeps, type Settling, sinkJobOf, takeStock } from '../run/settle.js';
import { holdJob, settling } from './hold-job.js';
import { sinkRecordOf } from './sink-record.js';

/** What was settled in a flow. */
export interface AdoptedFlow {
  readonly flow: string;
  /** Systems that are taken for the ones that are meant: what was recorded, and what is there. */
  readonly identities: readonly { readonly of: string; readonly from: string; readonly to: string }[];
  /** Sinks that got their record back. */
  readonly restored: readonly string[];
}

/** Rejects with `SLUICE-CORE-0101` while a run is under way, and with `0107` for a sink that holds another source's. */
export async function adoptState(
  ledger: Ledger,
  plan: JobPlan,
  log?: Logger,
): Promise<readonly AdoptedFlow[]> {
  return holdJob(
    ledger,
    plan.name,
    async (keeper) => {
      const flows: AdoptedFlow[] = [];
      for (const flow of plan.flows) {
        const stock = settling(flow, plan, ledger, keeper, log);
        const restored = await restoreRecords(stock, await ledger.flow(flow.key));
        failpoint('adopt.before-ledger');
        const { state, identities } = withIdentities(await ledger.flow(flow.key), flow);
        if (identities.length > 0) await ledger.replaceFlow(keeper.lease, flow.key, state);
        failpoint('adopt.after-ledger');
        await takeStock(stock);
        flows.push({ flow: flow.key.flow, identities, restored });
      }
      return flows;
    },
    log,
  );
}

/** Sinks that should have a record and have none of any stream get the ledger's. */
async function restoreRecords(stock: Settling, state: FlowState): Promise<string[]> {
  const records = await attachAll(stock);
  const restored: string[] = [];
  for (const sink of stock.plan.sinks) {
    const name = sink.key.sink;
    const keepsOne = stock.plan.streams.some(({ targets }) => keeps(targets[name]?.table.protocol ?? ''));
    const held = records.get(name)?.streams ?? {};
    if (!keepsOne || Object.keys(held).length > 0 || Object.keys(state.streams).length === 0) continue;
    await sink.sink.adopt(sinkJobOf(stock, sink), sinkRecordOf(state, name), stock.context);
    failpoint('adopt.after-sink');
    restored.push(name);
  }
  return restored;
}

function withIdentities(state: FlowState, { sourceIdentity, sinks }: FlowPlan) {
  const identities: { of: string; from: string; to: string }[] = [];
  const known = Object.entries(state.sinks).map(([name, held]): [string, FlowState['sinks'][string]] => {
    const target = sinks.find(({ key }) => key.sink === name)?.identity ?? held.target;
    if (target !== held.target) identities.push({ of: `sink ${name}`, from: held.target, to: target });
    if (sourceIdentity !== held.source) {
      identities.push({ of: `source of sink ${name}`, from: held.source, to: sourceIdentity });
    }
    return [name, { ...held, source: sourceIdentity, target }];
  });
  return { state: { ...state, sinks: Object.fromEntries(known) }, identities };
}
