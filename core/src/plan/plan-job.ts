/** Plans a job: its connectors are loaded and configured, and each flow is planned against the systems as they are. */
import {
  type Connector,
  type Context,
  isExact,
  type Logger,
  matchesAny,
  type Sink,
  type Source,
  silentLogger,
  type Transform,
} from '@sluice/sdk';
import { planLetterTable } from '../dead-letters/letter-table.js';
import type { RejectBound } from '../dead-letters/reject-limit.js';
import type { LetterSink } from '../dead-letters/sink-letters.js';
import { coreErrors } from '../errors.js';
import { problemsError } from '../job/check-settings.js';
import { checkedStreamSettings, checkedTargetSettings, connectionConfig } from '../job/flow-settings.js';
import {
  type Job,
  type JobConnection,
  type JobFlow,
  type JobSink,
  type RateLimit,
  requirementOf,
} from '../job/job.js';
import { discoveryPatterns, streamSettings, unmatchedNames } from '../job/stream-settings.js';
import type { KnownSchema } from '../ledger/known-schema.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Registry } from '../registry/registry.js';
import type { FlowPlan } from './flow-plan.js';
import { memoryBudget } from './memory-budget.js';
import { planFlow } from './plan-flow.js';
import { leftOut, type QuarantinedStream } from './quarantined-stream.js';

/** A checked job before it runs. */
export interface JobPlan {
  readonly name: string;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly flows: readonly FlowPlan[];
  /** Undefined: the first row that cannot be kept ends the run. */
  readonly errors?: RejectBound;
  /** Undefined: dead letters are kept in the ledger. */
  readonly letters?: LetterSink;
  /** Bytes that each connector may hold beside the batches in flight. */
  readonly connectorMemory: number;
  /** Bytes that the batches in flight may take, in all lanes together. */
  readonly batchMemory: number;
  /** How fast all flows together may read. */
  readonly rate?: RateLimit;
  /** Frees what planning has opened in sources and sinks. May be repeated; a run does it at its end. */
  close(): Promise<void>;
}

export interface PlanOptions {
  readonly registry: Registry;
  readonly transforms: { readonly [name: string]: Transform };
  /** Start a new generation of the streams that match one of these patterns, whatever state there is. */
  readonly fresh?: readonly string[];
  /** What is known of the flows so far; without it each is planned as if it had never run. */
  readonly state?: Pick<Ledger, 'flow' | 'requestedCopies'>;
  readonly log?: Logger;
  readonly signal?: AbortSignal;
}

/** One side of a connection, made from its configuration. */
export interface Endpoint<T> {
  readonly connector: Connector;
  readonly side: T;
}

export async function planJob(job: Job, options: PlanOptions): Promise<JobPlan> {
  const memory = memoryBudget(job.memory);
  const connectorMemory = Math.floor(memory / 2);
  const batchMemory = memory - connectorMemory;
  const opened: { close?(): Promise<void> }[] = [];
  let closing: Promise<unknown> | undefined;
  const close = async () => {
    closing ??= Promise.allSettled(opened.map((side) => side.close?.()));
    await closing;
  };
  const context = contextOf(job, options, connectorMemory);
  try {
    const flows: FlowPlan[] = [];
    for (const flow of job.flows) {
      const source = await openSource(job, flow.connection, options.registry);
      opened.push(source.side);
      const sinks: OpenSink[] = [];
      for (const declared of flow.sinks) {
        const sink = await openSink(job, declared.connection, options.registry);
        opened.push(sink.side);
        sinks.push({ ...sink, declared });
      }
      const plan = async (c: Context, fresh: readonly string[] = []): Promise<FlowPlan> => ({
        ...(await planOne(job, flow, source, sinks, { ...options, fresh }, batchMemory, c)),
        ...(flow.rate && { rate: flow.rate }),
      });
      const first = await plan(context, options.fresh);
      checkNames(job, flow, first);
      flows.push(renewable(first, { job, flow, source, plan }));
    }
    const { errors } = job;
    const letters = errors?.deadLetter && (await planLetters(job, errors.deadLetter, options, context));
    if (letters) opened.push(letters.sink);
    return {
      name: job.name,
      cwd: job.cwd,
      flows,
      ...(errors && { errors }),
      ...(letters && { letters }),
      connectorMemory,
      batchMemory,
      ...(job.rate && { rate: job.rate }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function planLetters(
  job: Job,
  connection: JobConnection,
  { registry }: PlanOptions,
  context: Context,
): Promise<LetterSink> {
  const { name } = connection;
  const { side: sink } = await openSink(job, connection, registry);
  try {
    const table = await planLetterTable(name, sink, context);
    return { name, sink, identity: await sink.identity(context), table };
  } catch (error) {
    await sink.close?.();
    throw error;
  }
}

/** The context in which a job's connectors work outside of a run. */
export function contextOf(
  job: Job,
  { log = silentLogger, signal }: Pick<PlanOptions, 'log' | 'signal'>,
  memory: number,
): Context {
  return { signal: signal ?? new AbortController().signal, log, cwd: job.cwd, memory };
}

export async function openSource(
  job: Job,
  connection: JobConnection,
  registry: Registry,
): Promise<Endpoint<Source>> {
  const connector = await registry.connector(connection.connector);
  if (connector.source === undefined) {
    throw coreErrors.refused(`connector ${connector.name} reads nothing: it is a sink only`);
  }
  return { connector, side: connector.source.create(connectionConfig(job, connection, connector)) };
}

export async function openSink(
  job: Job,
  connection: JobConnection,
  registry: Registry,
): Promise<Endpoint<Sink>> {
  const connector = await registry.connector(connection.connector);
  if (connector.sink === undefined) {
    throw coreErrors.refused(`connector ${connector.name} writes nothing: it is a source only`);
  }
  return { connector, side: connector.sink.create(connectionConfig(job, connection, connector)) };
}

/** Settings for a stream that does not exist are probably meant for one that does. */
function checkNames(job: Job, flow: JobFlow, { streams, quarantined }: FlowPlan): void {
  const names = [
    ...streams.flatMap(({ stream, transforms }) => [stream, ...(transforms.at(-1)?.routes ?? [])]),
    ...quarantined.map(({ stream }) => stream),
  ];
  const wrong = unmatchedNames(flow, names).filter(({ name }) => isExact(name));
  if (wrong.length === 0) return;
  const problems = wrong.map(({ path, name, near }) => ({
    path,
    message: `the flow reads no stream "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
  }));
  throw problemsError(coreErrors.jobInvalid, problems, job);
}

async function knownSchemas(
  { state, fresh = [] }: PlanOptions,
  job: string,
  flow: string,
): Promise<ReadonlyMap<string, KnownSchema>> {
  const isFresh = (stream: string) => matchesAny(fresh, stream);
  const { streams = {} } = (await state?.flow({ job, flow })) ?? {};
  return new Map(
    Object.entries(streams).flatMap(([stream, { schema }]) =>
      schema && !isFresh(stream) ? [[stream, schema] as const] : [],
    ),
  );
}

/** The streams that the job selects and that are to be left out. */
async function quarantinedStreams(
  { state, fresh = [] }: PlanOptions,
  job: string,
  flow: JobFlow,
): Promise<QuarantinedStream[]> {
  if (state === undefined) return [];
  const key = { job, flow: flow.name };
  const known = await leftOut(state, key, fresh);
  return known.filter(({ stream }) => streamSettings(flow, stream) !== undefined);
}

/** What a flow is planned from, and how. */
interface Replanning {
  readonly job: Job;
  readonly flow: JobFlow;
  readonly source: Endpoint<Source>;
  readonly plan: (c: Context) => Promise<FlowPlan>;
}

/** A plan that can look for streams which have come since, where the job selects any by pattern, or come back. */
function renewable(plan: FlowPlan, of: Replanning): FlowPlan {
  const { job, flow, source } = of;
  const patterns = discoveryPatterns(flow);
  const all = [...plan.streams, ...plan.quarantined];
  const seen = new Set(all.map(({ stream }) => stream));
  const renewed = async (back: readonly string[], c: Context): Promise<FlowPlan | undefined> => {
    const selected = (stream: string) => checkedStreamSettings(job, flow, source.connector, stream);
    const wanted = back.some(selected);
    if (!wanted && patterns?.every(isExact)) return undefined;
    const { streams } = await source.side.discover(patterns, c);
    const fresh = streams
      .filter(({ problem }) => problem === undefined)
      .map(({ schema }) => schema.stream)
      .filter((stream) => !seen.has(stream) && selected(stream));
    if (fresh.length === 0 && !wanted) return undefined;
    const next = await of.plan(c);
    for (const stream of fresh) seen.add(stream);
    const isNew = [...next.streams, ...next.quarantined].length > all.length;
    return isNew || wanted ? renewable(next, of) : undefined;
  };
  return { ...plan, renewed };
}

/** A sink of a flow, made from its connection. */
interface OpenSink extends Endpoint<Sink> {
  readonly declared: JobSink;
}

async function planOne(
  job: Job,
  flow: JobFlow,
  source: Endpoint<Source>,
  sinks: readonly OpenSink[],
  options: PlanOptions,
  batchMemory: number,
  context: Context,
): Promise<FlowPlan> {
  return planFlow(
    {
      key: { job: job.name, flow: flow.name },
      values: job,
      source: source.side,
      sinks: sinks.map(({ connector, side, declared }) => {
        const required = requirementOf(job, flow, declared);
        return {
          name: declared.name,
          sink: side,
          onFailure: declared.onFailure,
          targetSettings: (stream) => checkedTargetSettings(job, declared, connector, stream),
          ...(required !== undefined && { require: required }),
        };
      }),
      patterns: discoveryPatterns(flow),
      streamSettings: (stream) => checkedStreamSettings(job, flow, source.connector, stream),
      transforms: flow.transforms,
      transformsByName: options.transforms,
      tolerant: job.errors !== undefined,
      lossy: job.lossy,
      schema: job.schema,
      known: await knownSchemas(options, job.name, flow.name),
      quarantined: await quarantinedStreams(options, job.name, flow),
      epoch: job.delivery.commit,
      batchMemory,
      rates: [job.rate, flow.rate].filter((rate) => rate !== undefined),
      ...(job.parallel !== undefined && { parallel: job.parallel }),
      changes: flow.changes,
      again: job.again,
      fresh: options.fresh ?? [],
      allowEmpty: job.allowEmpty,
    },
    context,
  );
}
