/** What is to be read: splits are in the ledger before anything of them is read. */
import { failpoint, type Split } from '@sluice/sdk';
import type { FlowState, LedgerSplit } from '../ledger/ledger.js';
import type { SinkPlan } from '../plan/flow-plan.js';
import type { Attempt } from './attempt.js';
import { ownSplitsOf, splitsOf } from './flow-splits.js';
import { requestIfStale } from './request-if-stale.js';

/** Writes the splits that are still missing, before anything of them is read. */
export async function planSplits(attempt: Attempt): Promise<FlowState> {
  const { run, starts } = attempt;
  const { plan, ledger, context } = run;
  const { key } = plan;
  let state = await ledger.flow(key);
  const missing = starts.filter(({ stream }) => {
    const { mode } = attempt.planOf(stream).read;
    return mode !== 'full' || state.streams[stream]?.planned !== true;
  });
  if (missing.length > 0) {
    const generations = new Map(missing.map(({ stream, generation }) => [stream, generation]));
    const reads = missing.map(({ stream, generation }) => ({ ...attempt.planOf(stream).read, generation }));
    const begun = sinksWithRows(state);
    for (const { stream } of starts.filter(({ action }) => action === 'resume')) {
      const known = state.streams[stream]?.schema;
      if (known !== undefined) await requestIfStale(attempt, known, attempt.planOf(stream), begun);
    }
    // One that is quarantined may have been asked for behind the plan, and then is not in it yet.
    const wanted = (await ledger.requestedCopies(key)).filter(
      (stream) => attempt.plans.has(stream) || state.streams[stream]?.quarantined === undefined,
    );
    const copied = toCopy(attempt, wanted);
    const known = splitsOf(state, generations).map(({ split }) => leaving(split, copied));
    let found: LedgerSplit[] = [];
    for await (const split of plan.source.splits(reads, known, context)) {
      context.signal.throwIfAborted();
      found.push({ split, generation: generations.get(split.streams[0]!) ?? 1 });
      if (found.length < SPLITS_AT_ONCE) continue;
      await ledger.addSplits(attempt.lease, key, found);
      found = [];
    }
    await ledger.addSplits(attempt.lease, key, found);
    failpoint('plan.before-planned');
    if (wanted.length > 0) await ledger.dropCopyRequests(attempt.lease, key, wanted);
    for (const [stream, generation] of generations) {
      const known = state.streams[stream];
      if (known?.planned === true && known.generation === generation) continue;
      await ledger.markPlanned(attempt.lease, key, stream, generation);
    }
    state = await ledger.flow(key);
  }
  const ownSplits = ownSplitsOf(state);
  for (const start of starts) {
    const own = ownSplits(start).map(({ split }) => split);
    for (const sink of start.sinks) run.onStart(sink, attempt.planOf(start.stream), start, own);
  }
  failpoint('plan.after-planned');
  return state;
}

function sinksWithRows({ sinks }: FlowState): Set<string> {
  const begun = Object.entries(sinks).filter(([, { positions }]) =>
    Object.values(positions).some(({ epoch }) => epoch > 0),
  );
  return new Set(begun.map(([sink]) => sink));
}

/**
 * A sink that has nothing yet joins a log where the others are: its source may have nothing from before. What it
 * missed is in the copy that it is still to get, all of it.
 */
export async function joinLogs(attempt: Attempt, state: FlowState): Promise<FlowState> {
  const { ledger, plan } = attempt.run;
  const splits = attempt.splitsOf(state);
  const hasNothing = ({ key: { sink } }: SinkPlan) =>
    splits.every(({ split }) => state.sinks[sink]?.positions[split.id] === undefined);
  for (const { split, generation } of splits) {
    if (split.phase !== 'log') continue;
    const known = Object.values(state.sinks).flatMap(({ positions }) => positions[split.id] ?? []);
    const [place, ...others] = new Set(known.map(({ position }) => JSON.stringify(position)));
    if (place === undefined || others.length > 0) continue;
    const record = { split, generation, epoch: 0, position: JSON.parse(place), sealed: false };
    for (const sink of attempt.sinks.list.filter(hasNothing)) {
      await ledger.adoptPositions(attempt.lease, sink.key, [record]);
    }
  }
  failpoint('plan.after-joined');
  return ledger.flow(plan.key);
}

/** Splits are written in portions, so that a source may plan a great many. */
const SPLITS_AT_ONCE = 1000;

/** Of the streams that are asked for, those that are copied at all. */
function toCopy({ run, plans }: Attempt, wanted: readonly string[]): string[] {
  const hasCopy = (stream: string) => plans.get(stream)?.read.from === undefined;
  for (const stream of wanted.filter((each) => !hasCopy(each)))
    run.context.log.warn(`stream ${stream} is not copied: the job reads its changes from a place on`);
  return wanted.filter(hasCopy);
}

/** A log as one that streams have left, which therefore are to be copied to join it again. */
function leaving(split: Split, streams: readonly string[]): Split {
  if (split.phase !== 'log' || streams.length === 0) return split;
  return { ...split, streams: split.streams.filter((stream) => !streams.includes(stream)) };
}
