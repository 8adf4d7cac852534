/**
 * Where a flow stands when a run begins: the ledger and the sink's own record are compared, stream by stream and
 * split by split, and the run's first steps follow. Pure, so that every combination can be tried.
 *
 * The rules, for sinks that keep a record (protocols atomic and two-phase):
 * - the ledger knows committed work and the sink knows nothing: the sink was replaced under us; stop;
 * - the ledger has the higher generation: it was written first, and the sink adopts it;
 * - the sink has the higher generation, or another position in the same one: the ledger is lost, older, or missed
 *   the reply; the sink's record was written with the data, so it wins, forwards or back.
 * Sinks without a record follow the ledger alone.
 */
import type { SinkRecord, SplitRecord } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { FlowState, LedgerSplit, RunStatus, SinkState } from '../ledger/ledger.js';

/** A stream as the plan wants it run now. */
export interface WantedStream {
  readonly stream: string;
  readonly mode: 'full' | 'incremental' | 'cdc';
  /** What is committed stays visible though the generation is unfinished: see `StreamRead.resumable`. */
  readonly resumable: boolean;
  /** Whether repeating rows is within the guarantee (at least once), so that a copy may start over. */
  readonly mayRepeat: boolean;
}

/** What the run does with one stream. */
export type StreamStart =
  /** Complete: published by this run already, or by one that did not live to say so. */
  | { readonly stream: string; readonly action: 'done'; readonly generation: number }
  | { readonly stream: string; readonly action: 'resume'; readonly generation: number }
  | { readonly stream: string; readonly action: 'begin'; readonly generation: number };

export interface Reconciled {
  /** The sink's record where it wins: the ledger takes these over first. */
  readonly adoptGenerations: readonly { readonly stream: string; readonly generation: number }[];
  readonly adoptSplits: readonly LedgerSplit[];
  readonly adoptPositions: readonly SplitRecord[];
  readonly adoptPublished: readonly { readonly stream: string; readonly generation: number }[];
  readonly streams: readonly StreamStart[];
}

export interface ReconcileInput {
  readonly ledger: FlowState;
  readonly sink: string;
  /** Undefined when the sink has none; `keepsRecord` says whether it should. */
  readonly record: SinkRecord | undefined;
  readonly keepsRecord: boolean;
  readonly identity: { readonly source: string; readonly target: string };
  readonly wanted: readonly WantedStream[];
  readonly again: boolean;
  /** Every stream begins a new generation, whatever state there is. */
  readonly fresh: boolean;
  /** This run, and the job's runs before it, newest first. */
  readonly run: string;
  readonly earlier: readonly { readonly run: string; readonly status: RunStatus }[];
}

/** Throws `SLUICE-CORE-0105` to `0108` where the state cannot be continued. */
export function reconcile(input: ReconcileInput): Reconciled {
  const state = input.ledger.sinks[input.sink];
  checkIdentities(state, input.identity);
  checkRecord(input, state);
  const adopted = adoptRecord(input, state);
  const streams = input.wanted.map((wanted) => startOf(wanted, input, adopted));
  return { ...adopted.moves, streams };
}

/**
 * Whether the state belongs to the systems that the job meets now. Asked before a sink is attached to, so that nothing
 * is written into one that is not meant. Throws `SLUICE-CORE-0105`.
 */
export function checkIdentities(state: SinkState | undefined, identity: ReconcileInput['identity']): void {
  if (state && state.source !== identity.source) {
    throw coreErrors.identityChanged(
      `the state was written from source ${state.source}, this is ${identity.source}`,
    );
  }
  if (state && state.target !== identity.target) {
    throw coreErrors.identityChanged(
      `the state was written into sink ${state.target}, this is ${identity.target}`,
    );
  }
}

function checkRecord(
  { record, keepsRecord, identity, sink }: ReconcileInput,
  state: SinkState | undefined,
): void {
  if (record && record.source !== identity.source) {
    throw coreErrors.recordForeign(
      `sink ${sink} holds state from source ${record.source}, this is ${identity.source}`,
    );
  }
  // A record that only says that the job has attached is no better than none: a run that failed here left it.
  const remembers = record !== undefined && Object.keys(record.streams).length > 0;
  if (keepsRecord && !remembers && state && hasCommitted(state)) {
    throw coreErrors.recordMissing(`the ledger has committed epochs of sink ${sink}, the sink has none`);
  }
}

function hasCommitted(state: SinkState): boolean {
  return (
    Object.values(state.positions).some(({ epoch }) => epoch > 0) || Object.keys(state.published).length > 0
  );
}

type Moves = Omit<Reconciled, 'streams'>;

interface KnownGeneration {
  readonly generation: number;
  readonly planned: boolean;
  readonly published: boolean;
  /** Which run published it; `unsaid` when only the sink knows, and a run of this ledger was interrupted there. */
  readonly publishedBy?: string | typeof UNSAID;
}

const UNSAID: unique symbol = Symbol('published, and not noted');

/** The flow's state once the sink's record has been taken over. */
interface Adopted {
  readonly moves: Moves;
  readonly generations: ReadonlyMap<string, KnownGeneration>;
  readonly splits: ReadonlyMap<string, LedgerSplit>;
  readonly positions: ReadonlyMap<string, { readonly epoch: number; readonly sealed: boolean }>;
}

function adoptRecord({ ledger, record }: ReconcileInput, state: SinkState | undefined): Adopted {
  const adoptGenerations: { stream: string; generation: number }[] = [];
  const adoptSplits: LedgerSplit[] = [];
  const adoptPositions: SplitRecord[] = [];
  const adoptPublished: { stream: string; generation: number }[] = [];
  const generations = new Map<string, KnownGeneration>();
  for (const [stream, { generation, planned }] of Object.entries(ledger.streams)) {
    const last = state?.published[stream];
    const published = last !== undefined && last.generation >= generation && generation > 0;
    generations.set(stream, { generation, planned, published, ...(published && { publishedBy: last.run }) });
  }
  const splits = new Map(Object.entries(ledger.splits));
  const positions = new Map<string, { epoch: number; sealed: boolean }>(
    Object.entries(state?.positions ?? {}),
  );

  for (const [stream, { generation, published }] of Object.entries(record?.streams ?? {})) {
    const known = generations.get(stream);
    if (known && known.generation > generation) continue;
    if (!known || known.generation < generation) {
      adoptGenerations.push({ stream, generation });
      for (const [id, { split }] of splits) {
        if (!split.streams.includes(stream)) continue;
        splits.delete(id);
        positions.delete(id);
      }
    }
    if (published && !known?.published) adoptPublished.push({ stream, generation });
    const publishedBy = known?.publishedBy ?? (known?.generation === generation ? UNSAID : undefined);
    generations.set(stream, { generation, planned: true, published, ...(publishedBy && { publishedBy }) });
    for (const [id, theirs] of Object.entries(record?.splits ?? {})) {
      if (!theirs.split.streams.includes(stream) || theirs.generation !== generation) continue;
      if (!splits.has(id)) adoptSplits.push({ split: theirs.split, generation });
      splits.set(id, { split: theirs.split, generation });
      const ours = positions.get(id);
      if ((ours?.epoch ?? 0) !== theirs.epoch) adoptPositions.push(theirs);
      positions.set(id, { epoch: theirs.epoch, sealed: theirs.sealed });
    }
  }
  return {
    moves: { adoptGenerations, adoptSplits, adoptPositions, adoptPublished },
    generations,
    splits,
    positions,
  };
}

function startOf(wanted: WantedStream, input: ReconcileInput, adopted: Adopted): StreamStart {
  const { stream } = wanted;
  const known = adopted.generations.get(stream);
  if (known === undefined || known.generation === 0) return { stream, action: 'begin', generation: 1 };
  const { generation } = known;
  const begin: StreamStart = { stream, action: 'begin', generation: generation + 1 };
  if (input.fresh) return begin;
  if (wanted.mode !== 'full') return { stream, action: 'resume', generation };

  if (known.published) {
    if (known.publishedBy === input.run) return { stream, action: 'done', generation };
    if (!wanted.resumable || input.again || wanted.mayRepeat) return begin;
    if (isInterrupted(known, input)) return { stream, action: 'done', generation };
    throw coreErrors.alreadyPublished(
      `stream ${stream} has been appended in full (generation ${generation})`,
      {
        details: { stream },
      },
    );
  }
  const own = [...adopted.splits.values()].filter(({ split }) => split.streams.includes(stream));
  const dead = own.filter(
    ({ split }) => split.volatile === true && adopted.positions.get(split.id)?.sealed !== true,
  );
  if (known.planned && dead.length === 0) return { stream, action: 'resume', generation };
  const committed = own.some(({ split }) => (adopted.positions.get(split.id)?.epoch ?? 0) > 0);
  if (wanted.resumable && committed && !wanted.mayRepeat) {
    throw coreErrors.copyBroken(`stream ${stream}: generation ${known.generation} is partly appended`, {
      details: { stream },
    });
  }
  return begin;
}

/** Whether neither the run that published a generation nor any since ended well: this one finishes its work. */
function isInterrupted({ publishedBy }: KnownGeneration, { earlier }: ReconcileInput): boolean {
  if (publishedBy === UNSAID) return true;
  const publisher = earlier.findIndex(({ run }) => run === publishedBy);
  return publisher >= 0 && earlier.slice(0, publisher + 1).every(({ status }) => status !== 'succeeded');
}
