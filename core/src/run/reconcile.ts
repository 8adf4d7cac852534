/**
 * Where a flow stands when a run begins: the ledger and the sinks' own records are compared, stream by stream and
 * split by split, and the run's first steps follow. Pure, so that every combination can be tried.
 *
 * The rules, for sinks that keep a record (protocols atomic and two-phase):
 * - the ledger knows committed work and the sink knows nothing: the sink was replaced under us; stop;
 * - the ledger has the higher generation: it was written first, and the sink adopts it;
 * - the sink has the higher generation, or another position in the same one: the ledger is lost, older, or missed
 *   the reply; the sink's record was written with the data, so it wins, forwards or back.
 * Sinks without a record follow the ledger alone.
 *
 * A stream has one generation in all sinks of its flow: the highest that the ledger or any sink knows. A generation
 * is over when every sink that the flow stops for has published it; until then those that have are done with it, and
 * the others catch up.
 */
import { matchesAny, type SinkRecord, type SluiceError, type SplitRecord, toSluiceError } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { FlowState, LedgerSplit, RunStatus, SinkState } from '../ledger/ledger.js';
import { splitsByStream } from './splits-by-stream.js';

/** A stream as the plan wants one sink to take it now. */
export interface WantedStream {
  readonly stream: string;
  readonly mode: 'full' | 'incremental' | 'cdc';
  /** What is committed stays visible though the generation is unfinished: see `StreamRead.resumable`. */
  readonly resumable: boolean;
  /** Whether repeating rows is within the guarantee (at least once), so that a copy may start over. */
  readonly mayRepeat: boolean;
}

/** What the run does with one stream. */
export interface StreamStart {
  readonly stream: string;
  /** `done`: complete, published by this run already, or by one that did not live to say so. */
  readonly action: 'begin' | 'resume' | 'done';
  readonly generation: number;
  /** The sinks that are to get the rest of the generation. */
  readonly sinks: readonly string[];
  /** Those that have it all. One in neither list cannot go on within this generation and waits for the next. */
  readonly done: readonly string[];
}

export interface Reconciled {
  /** The sinks' records where they win: the ledger takes these over first. */
  readonly adoptGenerations: readonly { readonly stream: string; readonly generation: number }[];
  readonly adoptSplits: readonly LedgerSplit[];
  readonly adoptPositions: readonly { readonly sink: string; readonly record: SplitRecord }[];
  readonly adoptPublished: readonly {
    readonly sink: string;
    readonly stream: string;
    readonly generation: number;
  }[];
  readonly streams: readonly StreamStart[];
  /** Sinks that cannot go on from their state, and why (`SLUICE-CORE-0105` to `0108`, `0110`). */
  readonly refused: readonly { readonly sink: string; readonly error: SluiceError }[];
}

export interface SinkInput {
  readonly sink: string;
  readonly identity: string;
  /** Undefined when the sink has none; `keepsRecord` says whether it should. */
  readonly record: SinkRecord | undefined;
  readonly keepsRecord: boolean;
  /** Whether the flow stops when this sink fails; the others do not hold a stream's next generation back. */
  readonly required: boolean;
  readonly wanted: readonly WantedStream[];
}

export interface ReconcileInput {
  readonly ledger: FlowState;
  /** Identity of the source. */
  readonly source: string;
  readonly sinks: readonly SinkInput[];
  readonly again: boolean;
  /** Whether splits that die with their source are still there: this run has planned them. */
  readonly alive: boolean;
  /** Patterns of the streams that begin a new generation, whatever state there is. */
  readonly fresh: readonly string[];
  /** This run, and the job's runs before it, newest first. */
  readonly run: string;
  readonly earlier: readonly { readonly run: string; readonly status: RunStatus }[];
}

/** A sink that is refused counts for nothing else: the streams are those of the others. */
export function reconcile(input: ReconcileInput): Reconciled {
  const refused: { sink: string; error: SluiceError }[] = [];
  let sinks = input.sinks.filter((sink) => {
    const error = problemOf(() => checkSink(sink, input));
    if (error) refused.push({ sink: sink.sink, error });
    return error === undefined;
  });
  for (;;) {
    const adopted = adoptRecords(input.ledger, sinks);
    const streams = startsOf(sinks, input, adopted);
    if (streams.refused.length === 0) {
      return { ...adopted.moves, streams: streams.starts, refused };
    }
    refused.push(...streams.refused);
    sinks = sinks.filter(({ sink }) => !refused.some((other) => other.sink === sink));
  }
}

function problemOf(check: () => void): SluiceError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return toSluiceError(error);
  }
}

/**
 * Whether the state belongs to the systems that the job meets now. Asked before a sink is attached to, so that nothing
 * is written into one that is not meant. Throws `SLUICE-CORE-0105`.
 */
export function checkIdentities(
  state: SinkState | undefined,
  identity: { readonly source: string; readonly target: string },
): void {
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

function checkSink(
  { sink, identity, record, keepsRecord }: SinkInput,
  { ledger, source }: ReconcileInput,
): void {
  const state = ledger.sinks[sink];
  checkIdentities(state, { source, target: identity });
  if (record && record.source !== source) {
    throw coreErrors.recordForeign(
      `sink ${sink} holds state from source ${record.source}, this is ${source}`,
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

type Moves = Omit<Reconciled, 'streams' | 'refused'>;

const UNSAID: unique symbol = Symbol('published, and not noted');

/** How far one sink is in the generation of a stream that the flow is at. */
interface Progress {
  readonly published: boolean;
  /** Which run published it; `unsaid` when only the sink knows, and a run of this ledger was interrupted there. */
  readonly publishedBy?: string | typeof UNSAID;
  readonly positions: ReadonlyMap<string, { readonly epoch: number; readonly sealed: boolean }>;
}

interface KnownStream {
  readonly generation: number;
  readonly planned: boolean;
  readonly splits: ReadonlyMap<string, LedgerSplit>;
  readonly progress: ReadonlyMap<string, Progress>;
}

/** The flow's state once the sinks' records have been taken over. */
interface Adopted {
  readonly moves: Moves;
  readonly streams: ReadonlyMap<string, KnownStream>;
}

function adoptRecords(ledger: FlowState, sinks: readonly SinkInput[]): Adopted {
  const moves = {
    adoptGenerations: [] as { stream: string; generation: number }[],
    adoptSplits: [] as LedgerSplit[],
    adoptPositions: [] as { sink: string; record: SplitRecord }[],
    adoptPublished: [] as { sink: string; stream: string; generation: number }[],
  };
  const names = new Set([
    ...Object.keys(ledger.streams),
    ...sinks.flatMap(({ record }) => Object.keys(record?.streams ?? {})),
  ]);
  const taken = new Set<string>();
  const streams = new Map<string, KnownStream>();
  const ourSplits = splitsByStream(ledger.splits);
  const theirSplits = new Map(sinks.map(({ sink, record }) => [sink, splitsByStream(record?.splits ?? {})]));
  for (const stream of names) {
    const ours = ledger.streams[stream];
    const theirs = sinks.map(({ record }) => record?.streams[stream]?.generation ?? 0);
    const generation = Math.max(ours?.generation ?? 0, ...theirs);
    const inLedger = ours?.generation === generation;
    if (!inLedger) moves.adoptGenerations.push({ stream, generation });
    const splits = new Map(inLedger ? ourSplits(stream) : []);
    const progress = new Map<string, Progress>();
    for (const { sink, record } of sinks) {
      const state = inLedger ? ledger.sinks[sink] : undefined;
      const positions = new Map<string, { epoch: number; sealed: boolean }>();
      for (const id of splits.keys()) {
        const at = state?.positions[id];
        if (at !== undefined) positions.set(id, at);
      }
      const last = state?.published[stream];
      const noted = last !== undefined && last.generation >= generation && generation > 0;
      const theirs = record?.streams[stream];
      if (theirs?.generation !== generation) {
        progress.set(sink, { published: noted, ...(noted && { publishedBy: last.run }), positions });
        continue;
      }
      if (theirs.published && !noted) moves.adoptPublished.push({ sink, stream, generation });
      for (const [id, theirSplit] of theirSplits.get(sink)!(stream)) {
        if (theirSplit.generation !== generation) continue;
        if (!splits.has(id)) {
          splits.set(id, { split: theirSplit.split, generation });
          if (!taken.has(id)) moves.adoptSplits.push({ split: theirSplit.split, generation });
          taken.add(id);
        }
        const differs = (positions.get(id)?.epoch ?? 0) !== theirSplit.epoch;
        const told = `${sink}\n${id}`;
        if (differs && !taken.has(told)) moves.adoptPositions.push({ sink, record: theirSplit });
        taken.add(told);
        positions.set(id, theirSplit);
      }
      const publishedBy = noted ? last.run : inLedger ? UNSAID : undefined;
      progress.set(sink, { published: theirs.published, ...(publishedBy && { publishedBy }), positions });
    }
    const planned = inLedger ? ours.planned || theirs.includes(generation) : true;
    streams.set(stream, { generation, planned, splits, progress });
  }
  return { moves, streams };
}

/** `over`: nothing is left to do, and doing it once more would double what is there. */
type Answer =
  | Pick<StreamStart, 'action'>
  | { readonly action: 'refused' | 'over'; readonly error: SluiceError };

/** A sink that takes a stream. */
interface Taker {
  readonly sink: SinkInput;
  readonly wanted: WantedStream;
}

/** A stream with the sinks that take it, and what each of them would have the run do. */
interface Question {
  readonly stream: string;
  readonly takers: readonly Taker[];
  readonly known: KnownStream | undefined;
  /** Whether every sink that decides has published the generation. */
  readonly over: boolean;
  readonly answers: ReadonlyMap<Taker, Answer>;
}

function startsOf(
  sinks: readonly SinkInput[],
  input: ReconcileInput,
  adopted: Adopted,
): { readonly starts: StreamStart[]; readonly refused: Reconciled['refused'] } {
  const names = new Set(sinks.flatMap(({ wanted }) => wanted.map(({ stream }) => stream)));
  const questions = [...names].map((stream): Question => {
    const takers = sinks.flatMap((sink): Taker[] => {
      const wanted = sink.wanted.find((one) => one.stream === stream);
      return wanted === undefined ? [] : [{ sink, wanted }];
    });
    const known = adopted.streams.get(stream);
    const over = decidingOf(takers).every(({ sink }) => known?.progress.get(sink.sink)?.published === true);
    const answers = new Map(takers.map((taker) => [taker, answerOf(taker, known, over, input)] as const));
    return { stream, takers, known, over, answers };
  });
  // A run that has a sink to catch up, or was asked for one stream, asks for nothing more where everything is there.
  const catchesUp = questions.some(
    ({ stream, answers }) =>
      isFresh(stream, input) || [...answers.values()].some(({ action }) => action === 'resume'),
  );
  const refused: { sink: string; error: SluiceError }[] = [];
  const starts = questions.map((question) => startOf(question, catchesUp, refused));
  return { starts: withOneLog(starts, questions), refused };
}

/** Streams whose changes come from one log are of one generation: one that joins later takes that of the others. */
function withOneLog(starts: readonly StreamStart[], questions: readonly Question[]): StreamStart[] {
  const isLogged = (i: number) => questions[i]!.takers.some(({ wanted }) => wanted.mode === 'cdc');
  const logged = starts.filter((_, i) => isLogged(i)).map(({ generation }) => generation);
  return starts.map((start, i) =>
    start.action === 'begin' && isLogged(i) ? { ...start, generation: Math.max(...logged) } : start,
  );
}

/** The sinks that say when a generation is over: those that the flow stops for, or all where there are none. */
function decidingOf(takers: readonly Taker[]): readonly Taker[] {
  const required = takers.filter(({ sink }) => sink.required);
  return required.length > 0 ? required : takers;
}

function startOf(
  { stream, takers, known, over, answers }: Question,
  catchesUp: boolean,
  refused: { sink: string; error: SluiceError }[],
): StreamStart {
  const all = takers.map(({ sink }) => sink.sink);
  const generation = known?.generation ?? 0;
  const says = (...actions: string[]) =>
    decidingOf(takers).some((taker) => actions.includes(answers.get(taker)!.action));
  // What is complete everywhere is begun anew only where that doubles nothing in any sink.
  const begins = says('begin') && !(over && says('done', 'over'));
  const behind: string[] = [];
  const done: string[] = [];
  for (const [taker, answer] of answers) {
    const { sink } = taker.sink;
    if (answer.action === 'refused' || (answer.action === 'over' && !catchesUp)) {
      refused.push({ sink, error: answer.error });
    } else if (begins) {
      if (answer.action === 'begin' || mayStartOver(taker, known)) continue;
      refused.push({ sink, error: brokenCopy(stream, generation) });
    } else if (answer.action === 'resume') behind.push(sink);
    else if (answer.action !== 'begin' || known?.progress.get(sink)?.published) done.push(sink);
  }
  if (begins) return { stream, action: 'begin', generation: generation + 1, sinks: all, done: [] };
  return { stream, action: behind.length > 0 ? 'resume' : 'done', generation, sinks: behind, done };
}

function isFresh(stream: string, { fresh }: ReconcileInput): boolean {
  return matchesAny(fresh, stream);
}

/** What one sink would have the run do. */
function answerOf(
  { sink, wanted }: Taker,
  known: KnownStream | undefined,
  over: boolean,
  input: ReconcileInput,
): Answer {
  const { stream } = wanted;
  if (known === undefined || known.generation === 0 || isFresh(stream, input)) return { action: 'begin' };
  if (wanted.mode !== 'full') return { action: 'resume' };
  const progress = known.progress.get(sink.sink);
  if (progress?.published) {
    if (progress.publishedBy === input.run || !over) return { action: 'done' };
    if (!wanted.resumable || input.again || wanted.mayRepeat) return { action: 'begin' };
    if (isInterrupted(progress, input)) return { action: 'done' };
    const error = coreErrors.alreadyPublished(
      `stream ${stream} has been appended in full (generation ${known.generation})`,
      { details: { stream } },
    );
    return { action: 'over', error };
  }
  const dead =
    !input.alive &&
    [...known.splits.values()].some(
      ({ split }) => split.volatile === true && progress?.positions.get(split.id)?.sealed !== true,
    );
  if (known.planned && !dead) return { action: 'resume' };
  if (mayStartOver({ sink, wanted }, known)) return { action: 'begin' };
  return { action: 'refused', error: brokenCopy(stream, known.generation) };
}

/** Whether nothing of the generation is visible in the sink for good, or repeating it is within the guarantee. */
function mayStartOver({ sink, wanted }: Taker, known: KnownStream | undefined): boolean {
  if (!wanted.resumable || wanted.mayRepeat) return true;
  const { published = false, positions = new Map() } = known?.progress.get(sink.sink) ?? {};
  return !published && ![...positions.values()].some(({ epoch }) => epoch > 0);
}

function brokenCopy(stream: string, generation: number): SluiceError {
  return coreErrors.copyBroken(`stream ${stream}: generation ${generation} is partly appended`, {
    details: { stream },
  });
}

/** Whether neither the run that published a generation nor any since ended well: this one finishes its work. */
function isInterrupted({ publishedBy }: Progress, { earlier }: ReconcileInput): boolean {
  if (publishedBy === UNSAID) return true;
  const publisher = earlier.findIndex(({ run }) => run === publishedBy);
  return publisher >= 0 && earlier.slice(0, publisher + 1).every(({ status }) => status !== 'succeeded');
}
