/** Asks for everything that a job needs, and plans it, so that what is written is known to run. */
import {
  contextOf,
  coreErrors,
  type Job,
  openSink,
  openSource,
  possibleWrites,
  type Registry,
} from '@sluice/core';
import {
  type CatalogStream,
  isSluiceError,
  type JobSpec,
  matchesAny,
  type ReadMode,
  type SinkCapabilities,
  type SourceCapabilities,
  type WriteMode,
} from '@sluice/sdk';
import type { CommandInput } from '../commands/command.js';
import { COMMAND_MEMORY } from '../job/connections.js';
import { makePlan } from '../job/make-plan.js';
import { openJob } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';
import type { Output } from '../output/output.js';
import type { AskedConnection } from './ask-connection.js';
import { type Answers, draftJob } from './draft-job.js';
import { givenAnswers, type Questions } from './questions.js';

export interface AskedJob {
  readonly answers: Answers;
  /** The streams that the job reads. */
  readonly streams: readonly string[];
  /** What was decided without asking: lines for people. */
  readonly notes: readonly string[];
}

export async function askJob(
  name: string,
  source: AskedConnection,
  sink: AskedConnection,
  input: CommandInput,
  questions: Questions,
  output: Output,
): Promise<AskedJob> {
  const draft: JobSpec = { name, source: source.connection, sink: sink.connection };
  const { job, registry } = await openJob(draft, output);
  const systems = await lookAt(job, registry, output);
  const { patterns, chosen } = await askStreams(systems.streams, input, questions);
  const readable = chosen.filter(({ problem }) => problem === undefined);
  const without = chosen.flatMap(({ schema, problem }) => (problem === undefined ? [] : [schema.stream]));
  const { mode, cursor } = await askMode(systems.source, input, questions);
  const hasKey = readable.every(({ schema }) => schema.key.length > 0);
  const asked = { read: mode, hasKey, hasCursor: cursor !== undefined };
  const write = await askWrite(asked, systems, input, questions);
  const answers: Answers = {
    name,
    source: source.connection,
    sink: sink.connection,
    patterns,
    without,
    mode,
    cursor,
    write,
    lossy: 'fail',
    // Within one system a copy must not replace what it reads.
    target: systems.same ? '{name}_copy' : undefined,
  };
  const notes = [
    ...without.map((stream) => `${stream} is left out: it cannot be read`),
    ...(systems.same ? ['source and sink are one system: targets are called {name}_copy'] : []),
  ];
  const lossless = await plan(answers, output);
  if (!lossless) notes.push('columns that the sink cannot keep exactly become text ("types": "lossy")');
  return {
    answers: lossless ? answers : { ...answers, lossy: 'string' },
    streams: readable.map(({ schema }) => schema.stream),
    notes,
  };
}

interface Systems {
  readonly streams: readonly CatalogStream[];
  readonly source: SourceCapabilities;
  readonly sink: SinkCapabilities;
  /** Whether both sides are one system. */
  readonly same: boolean;
}

async function lookAt(job: Job, registry: Registry, output: Output): Promise<Systems> {
  const context = contextOf(job, { log: await commandLogger(output) }, COMMAND_MEMORY);
  const flow = job.flows[0]!;
  const sinkConnection = flow.sinks[0]!.connection;
  const { side: source } = await openSource(job, flow.connection, registry);
  try {
    const { side: sink } = await openSink(job, sinkConnection, registry);
    try {
      await source.check(context);
      await sink.check(context);
      const { streams } = await source.discover(undefined, context);
      const same =
        flow.connection.connector === sinkConnection.connector &&
        (await source.identity(context)) === (await sink.identity(context));
      return { streams, source: source.capabilities, sink: sink.capabilities, same };
    } finally {
      await sink.close?.();
    }
  } finally {
    await source.close?.();
  }
}

const MOST_NAMED = 20;

async function askStreams(
  streams: readonly CatalogStream[],
  input: CommandInput,
  questions: Questions,
): Promise<{ readonly patterns: readonly string[]; readonly chosen: readonly CatalogStream[] }> {
  const names = streams.map(({ schema }) => schema.stream);
  const matching = (patterns: readonly string[]) =>
    streams.filter(({ schema }) => matchesAny(patterns, schema.stream));
  const more = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : '';
  const refuse = (answer: string) => {
    const found = matching(patternsOf(answer));
    if (found.length === 0)
      return `no stream matches ${answer}; there are ${names.slice(0, MOST_NAMED).join(', ') || 'none'}${more}`;
    return found.every(({ problem }) => problem !== undefined) ? found[0]!.problem!.message : undefined;
  };
  const given = input.list('streams')?.join(',');
  const answer = await answerTo(given, questions, {
    text: `Streams, by name or pattern (${names.slice(0, MOST_NAMED).join(', ')}${more})`,
    proposal: '*',
    refuse,
  });
  const patterns = patternsOf(answer);
  return { patterns, chosen: matching(patterns) };
}

function patternsOf(answer: string): string[] {
  return answer
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
}

async function askMode(
  { modes, incremental }: SourceCapabilities,
  input: CommandInput,
  questions: Questions,
): Promise<{ readonly mode: ReadMode; readonly cursor: string | undefined }> {
  const cursor = input.text('cursor');
  const mode = (await answerTo(input.text('mode'), questions, {
    text: `Read mode: ${modes.join(' or ')}${modes.includes('incremental') ? ` (increments: ${incremental})` : ''}`,
    proposal: modes.includes('full') ? 'full' : modes[0]!,
    refuse: (answer) => oneOf(answer, modes, 'the source reads'),
  })) as ReadMode;
  return { mode, cursor };
}

async function askWrite(
  asked: { readonly read: ReadMode; readonly hasKey: boolean; readonly hasCursor: boolean },
  { source, sink }: Systems,
  input: CommandInput,
  questions: Questions,
): Promise<WriteMode> {
  const modes = possibleWrites({ ...asked, save: 'keep' }, source, sink);
  const named = modes.map((write) => `${write} (${sink.modes[write]})`).join(' or ');
  return (await answerTo(input.text('write'), questions, {
    text: `Write mode: ${named}`,
    ...(modes[0] !== undefined && { proposal: modes[0] }),
    refuse: (answer) => oneOf(answer, modes, `with read mode ${asked.read} the sink writes`),
  })) as WriteMode;
}

function oneOf(answer: string, choices: readonly string[], who: string): string | undefined {
  return choices.includes(answer) ? undefined : `${who} ${choices.join(' or ') || 'nothing'}, not ${answer}`;
}

/** What was given is not asked for, but has to be as good. */
async function answerTo(
  given: string | undefined,
  questions: Questions,
  question: Parameters<Questions['ask']>[0],
): Promise<string> {
  if (given === undefined) return questions.ask(question);
  return givenAnswers().ask({ ...question, proposal: given });
}

/** Whether the job can be planned without bending a value; throws for every other reason why it cannot. */
async function plan(answers: Answers, output: Output): Promise<boolean> {
  const log = await commandLogger(output);
  const wishes = { streams: undefined, fresh: [] };
  try {
    await (await makePlan(await openJob(draftJob(answers), output), wishes, log)).close();
    return true;
  } catch (error) {
    const isLossy = isSluiceError(error) && error.code === coreErrors.lossyType.entry.code;
    if (!isLossy) throw error;
  }
  const kept = draftJob({ ...answers, lossy: 'string' });
  await (await makePlan(await openJob(kept, output), wishes, log)).close();
  return false;
}
