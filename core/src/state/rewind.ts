/**
 * Sets the streams of a job back to an earlier time. The sinks are attached to first, so that nothing is still landing
 * and the ledger knows all that they have; then one write of the ledger makes it so, in a new generation. The sinks
 * take that over with the next run, as they do with any generation that the ledger has before them: a crash at any
 * step leaves the state as it was or as it is wanted, and the same command again ends in the same.
 */
import { failpoint, type Logger } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import { showsEachOnce } from '../plan/modes-matrix.js';
import type { JobPlan } from '../plan/plan-job.js';
import { takeStock } from '../run/settle.js';
import { holdJob, settling } from './hold-job.js';
import { type Rewound, rewoundFlow } from './rewound-flow.js';

export interface RewindOptions {
  /** The job with the streams that are meant. The caller closes it. */
  readonly plan: JobPlan;
  readonly ledger: Ledger;
  /** Epoch milliseconds; 0 for the beginning. */
  readonly to: number;
  /** Do it; otherwise say what would be done, from the ledger alone. */
  readonly certain: boolean;
  /** Rows that write mode append adds once more are meant. */
  readonly repeatRows: boolean;
  readonly log?: Logger;
}

export interface RewoundFlow {
  readonly flow: string;
  readonly streams: readonly string[];
  readonly moves: readonly Rewound[];
}

/**
 * What is set back, flow by flow. Streams that are read in full stay as they are: between two copies there is nothing
 * to go back to. Rejects with `SLUICE-CORE-0130` where nothing can be set back so far, `0131` where rows would be
 * added twice, `0101` while a run is under way.
 */
export async function rewindJob(options: RewindOptions): Promise<readonly RewoundFlow[]> {
  const { plan, ledger, certain, log } = options;
  const flows = plan.flows.map(rewindable).filter((flow) => flow.streams.length > 0);
  if (flows.length === 0) {
    const names = plan.flows.flatMap(({ streams }) => streams.map(({ stream }) => stream));
    throw coreErrors.rewindRefused(
      `${names.join(', ')} of job ${plan.name} is read in full: a copy is repeated, not set back`,
    );
  }
  // Every flow is looked at before one is changed.
  const planned: RewoundFlow[] = [];
  for (const flow of flows) planned.push(await rewindOf(flow, options));
  if (!certain) return planned;
  return holdJob(
    ledger,
    plan.name,
    async (keeper) => {
      const done: RewoundFlow[] = [];
      for (const flow of flows) {
        await takeStock(settling(flow, plan, ledger, keeper, log));
        failpoint('rewind.before-ledger');
        const rewound = await rewindOf(flow, options);
        if (rewound.moves.length > 0) await ledger.replaceFlow(keeper.lease, flow.key, rewound.state);
        failpoint('rewind.after-ledger');
        done.push(rewound);
      }
      return done;
    },
    log,
  );
}

function rewindable(flow: FlowPlan): FlowPlan {
  return { ...flow, streams: flow.streams.filter(({ read }) => read.mode !== 'full') };
}

/** A ledger has no more epochs of a flow. */
const ALL = Number.MAX_SAFE_INTEGER;

async function rewindOf(flow: FlowPlan, { ledger, to, repeatRows }: RewindOptions) {
  const before = await ledger.flow(flow.key);
  const names = new Set(flow.streams.map(({ stream }) => stream));
  const highest = Math.max(0, ...[...names].map((name) => before.streams[name]?.generation ?? 0));
  const history = await ledger.epochs(flow.key, ALL);
  const { state, moves } = rewoundFlow(before, history, names, to, highest + 1);
  if (!repeatRows) requireKeyed(flow, before, moves);
  return { flow: flow.key.flow, streams: [...names], moves, state };
}

function requireKeyed(
  { streams }: FlowPlan,
  { splits }: Awaited<ReturnType<Ledger['flow']>>,
  moves: readonly Rewound[],
): void {
  for (const { sink, split } of moves) {
    const doubled = streams.find(
      ({ stream, targets }) =>
        targets[sink] !== undefined &&
        showsEachOnce(targets[sink].table) &&
        splits[split]?.split.streams.includes(stream),
    );
    if (doubled === undefined) continue;
    throw coreErrors.rowsWouldRepeat(
      `stream ${doubled.stream}: ${doubled.targets[sink]!.table.target} keeps each row that comes`,
      { details: { stream: doubled.stream, sink } },
    );
  }
}
