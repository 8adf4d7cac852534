/** Plans one flow: discovery, transforms, types, targets, guarantees. Reads both systems and changes neither. */
import { availableParallelism } from 'node:os';
import {
  type BoundTransform,
  type CatalogStream,
  type Context,
  type Cursor,
  type Fill,
  type Guarantee,
  guaranteeOf,
  isExact,
  nearestName,
  type ReadPlan,
  type Rung,
  renderName,
  routedStream,
  type SinkStream,
  type Source,
  type StreamRead,
  type StreamSchema,
  streamBeforeRoute,
  streamError,
  streamOf,
  type TablePlan,
  toSluiceError,
  type WriteMode,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { eventError } from '../event-error.js';
import { settingsAt } from '../job/check-settings.js';
import { parseDuration } from '../job/duration.js';
import type { KnownSchema } from '../ledger/known-schema.js';
import { bindTransform, bindTransforms } from './bind-transforms.js';
import { fillsFor, newFills } from './fills.js';
import type { DetachedSink, EpochBounds, FlowPlan, SinkPlan, StreamPlan, TargetPlan } from './flow-plan.js';
import type { CheckedStream, FlowRequest, SinkRequest } from './flow-request.js';
import { keeping } from './keeping.js';
import { defaultWrite, refusal, showsEachOnce } from './modes-matrix.js';
import { changeSchema } from './needed-values.js';
import { noneLeft, streamToLeave } from './quarantined-stream.js';
import { routedSink } from './routed-sink.js';
import { joinedTable } from './routed-table.js';
import { type SettledSchema, settleSchema } from './schema-policy.js';

/** A stream that is read, with what the flow does to its rows. */
interface Draft {
  readonly catalog: CatalogStream;
  readonly settings: CheckedStream;
  readonly schema: StreamSchema;
  readonly transforms: readonly BoundTransform[];
  /** Remarks for people about what has changed. */
  readonly notes: readonly string[];
  /** What arrives at the sinks. */
  readonly out: StreamSchema;
  /** How it is read; what the sinks need of it is not in it yet. */
  readonly read: StreamRead;
  readonly fills: readonly Fill[];
}

/** A stream that is read, with what the source says of that. */
interface ReadableDraft extends Draft {
  readonly reading: ReadPlan;
}

/** A stream on its way to one sink. */
interface TargetDraft {
  readonly draft: ReadableDraft;
  readonly casts: readonly BoundTransform[];
  readonly request: SinkStream;
}

/** Streams that cannot be planned are left out where the job allows that. */
export async function planFlow(request: FlowRequest, context: Context): Promise<FlowPlan> {
  const quarantined = [...request.quarantined];
  for (;;) {
    try {
      return await planStreams({ ...request, quarantined }, context);
    } catch (error) {
      const stream = streamToLeaveOut(error, { ...request, quarantined });
      if (stream === undefined) throw error;
      quarantined.push({ stream, error: eventError(error) });
      context.log.debug(`flow ${request.key.flow} is planned without stream ${stream}`, {
        error: String(error),
      });
    }
  }
}

/** What is wrong with a job that has not run yet is to be set right there. */
function streamToLeaveOut(error: unknown, request: FlowRequest): string | undefined {
  const { streamSettings, known, quarantined } = request;
  const coded = toSluiceError(error);
  const name = streamOf(coded);
  if (name === undefined || (coded.class === 'config' && known.size === 0)) return undefined;
  const stream = streamBeforeRoute(name);
  if (quarantined.some((each) => each.stream === stream)) return undefined;
  const onFailure = streamSettings(stream)?.onFailure ?? 'stop';
  return streamToLeave(coded, [{ stream, onFailure, arrivesAs: [name] }]);
}

async function planStreams(request: FlowRequest, context: Context): Promise<FlowPlan> {
  const { source, key } = request;
  const chosen = await chooseStreams(request, context);
  for (const { schema } of chosen) checkOnFailure(schema.stream, request);
  const drafts = await planReads(
    await Promise.all(chosen.map((catalog) => draftOf(catalog, request, context))),
    source,
    context,
  );
  const sourceIdentity = await source.identity(context);
  const sinks: PlannedSink[] = [];
  const detached: DetachedSink[] = [];
  for (const sink of request.sinks) {
    try {
      sinks.push(await planSink(sink, drafts, request, context));
    } catch (error) {
      const coded = toSluiceError(error);
      // What is wrong with the job stays wrong; a system that cannot be used now may be left behind.
      if (sink.onFailure === 'stop' || coded.class === 'config' || request.sinks.length === 1) throw error;
      if (streamToLeaveOut(error, request) !== undefined) throw error;
      detached.push({ sink: sink.name, error: coded });
    }
  }
  const [failed] = detached;
  if (sinks.length === 0 && failed) throw failed.error;
  const streams = drafts.map((draft) => streamPlan(draft, sinks)).filter((plan) => plan !== undefined);
  if (streams.length === 0) throw coreErrors.streamMissing('no sink of the flow takes any of its streams');
  return {
    key,
    source,
    capabilities: source.capabilities,
    sourceIdentity,
    streams,
    quarantined: request.quarantined,
    sinks: sinks.map(({ plan }) => plan),
    detached,
    replan: (schema, known, c) => replan(schema, known, { request, chosen, sinks }, c),
    ...batchBounds(
      request,
      sinks.map(({ plan }) => plan),
    ),
    changes: request.changes,
    again: request.again,
    fresh: request.fresh,
    allowEmpty: request.allowEmpty,
  };
}

/** A stream as the flow was planned with it, but of another shape. */
async function replan(
  schema: StreamSchema,
  known: KnownSchema,
  plan: {
    readonly request: FlowRequest;
    readonly chosen: readonly CatalogStream[];
    readonly sinks: readonly PlannedSink[];
  },
  context: Context,
): Promise<StreamPlan> {
  const { stream } = schema;
  const request = { ...plan.request, known: new Map([...plan.request.known, [stream, known]]) };
  const { streams } = await request.source.discover([stream], context);
  const found = [...streams, ...plan.chosen].find((each) => each.schema.stream === stream)!;
  const own = new Set(schema.fields.map(({ name }) => name));
  const types = found.types.filter(({ column }) => own.has(column));
  // What the source has beyond this shape is still to come, and must count as new then.
  const isWhole = found.schema.fields.every(({ name }) => own.has(name));
  const { mark: _, ...rest } = found;
  const mark = isWhole ? found.mark : known.mark;
  const catalog: CatalogStream = {
    ...rest,
    schema: { ...schema, version: known.version + 1 },
    types,
    ...(mark !== undefined && { mark }),
  };
  const drafts = await planReads([await draftOf(catalog, request, context)], request.source, context);
  const sinks: PlannedSink[] = [];
  for (const sink of request.sinks) {
    if (!plan.sinks.some(({ plan: { key } }) => key.sink === sink.name)) continue;
    sinks.push(await planSink(sink, drafts, request, context));
  }
  return streamPlan(drafts[0]!, sinks)!;
}

/** The streams that the job selects and the source has. */
async function chooseStreams(request: FlowRequest, context: Context): Promise<CatalogStream[]> {
  const { streams } = await request.source.discover(request.patterns, context);
  const isLeftOut = (name: string) => request.quarantined.some(({ stream }) => stream === name);
  const selected = streams.filter(
    ({ schema: { stream } }) => request.streamSettings(stream) !== undefined && !isLeftOut(stream),
  );
  const chosen = admitted(selected, request);
  const names = new Set(streams.map(({ schema }) => schema.stream));
  for (const pattern of request.patterns ?? []) {
    if (isExact(pattern) && !names.has(pattern) && !isLeftOut(pattern)) {
      const all = await request.source.discover(undefined, context);
      const known = all.streams.map(({ schema }) => schema.stream);
      const near = known.find((name) => name.endsWith(`.${pattern}`)) ?? nearestName(pattern, known);
      throw coreErrors.streamMissing(
        `the source has no stream "${pattern}"${near ? `; did you mean "${near}"?` : ''}`,
        { details: { stream: pattern } },
      );
    }
  }
  if (chosen.length === 0 && request.quarantined.length > 0) throw noneLeft(request.key, request.quarantined);
  if (chosen.length === 0) {
    const wanted = request.patterns?.join(', ');
    throw coreErrors.streamMissing(
      wanted ? `no stream of the source matches ${wanted}` : 'the source has no streams',
    );
  }
  const problemOf = ({ problem, broken }: CatalogStream) =>
    problem ?? (request.tolerant ? undefined : broken);
  const unreadable = chosen.filter((stream) => problemOf(stream) !== undefined);
  const apart = unreadable.find(
    ({ schema: { stream } }) => request.streamSettings(stream)?.onFailure === 'quarantine',
  );
  if (apart !== undefined) throw streamError(problemOf(apart), apart.schema.stream);
  if (unreadable.length > 0) {
    const reasons = unreadable.map((stream) => `${stream.schema.stream}: ${problemOf(stream)?.message}`);
    const first = problemOf(unreadable[0]!);
    // One problem speaks for itself: its code says more, and its class decides the exit code.
    if (unreadable.length === 1) throw first;
    throw coreErrors.streamUnreadable(reasons.join('; '), {
      cause: first,
      ...(first && { help: first.help }),
    });
  }
  return chosen;
}

/** The streams that the flow has read before and, where the job lets tables evolve, those that are new. */
function admitted(streams: readonly CatalogStream[], { known, schema }: FlowRequest): CatalogStream[] {
  const isNew = ({ schema: { stream } }: CatalogStream) => known.size > 0 && !known.has(stream);
  const added = streams.filter(isNew).map(({ schema: { stream } }) => stream);
  if (added.length > 0 && schema.tables === 'freeze') {
    throw coreErrors.schemaFrozen(`streams that the flow has not read before: ${added.join(', ')}`, {
      details: { changes: added },
    });
  }
  return schema.tables === 'evolve' ? [...streams] : streams.filter((stream) => !isNew(stream));
}

async function draftOf(catalog: CatalogStream, request: FlowRequest, context: Context): Promise<Draft> {
  const settings = request.streamSettings(catalog.schema.stream)!;
  const keyed = withKey(catalog.schema, settings);
  const schema = changeSchema(keyed, catalog, settings.mode, request.source.capabilities);
  const wanted = await bindTransforms(schema, settings, request, context.cwd);
  const arriving = wanted.at(-1)?.out ?? schema;
  const { transforms: fitting, notes } = await settled(arriving, request, context);
  if (fitting.length > 0 && wanted.at(-1)?.routes !== undefined) {
    throw coreErrors.routeNotLast(
      `stream ${schema.stream}: what is new would be discarded behind a transform that routes its rows`,
    );
  }
  const transforms = [...wanted, ...fitting];
  const read: StreamRead = {
    stream: schema.stream,
    mode: settings.mode,
    schema,
    generation: 0,
    options: settings.source,
    resumable: false,
    ...(settings.cursor && { cursor: cursorOf(settings.cursor) }),
    ...(settings.mode === 'cdc' && request.changes.from !== undefined && { from: request.changes.from }),
  };
  const known = request.known.get(schema.stream);
  return {
    catalog,
    settings,
    schema,
    transforms,
    notes,
    out: transforms.at(-1)?.out ?? schema,
    read,
    fills: await newFills({ catalog, read, transforms }, known, request.source, context),
  };
}

/** A stream that is left out comes back by a copy, beside the log that the others go on with. */
function checkOnFailure(stream: string, { streamSettings, changes }: FlowRequest): void {
  const { onFailure, mode } = streamSettings(stream)!;
  if (onFailure === 'stop' || (mode === 'cdc' && changes.from === undefined)) return;
  const why =
    mode === 'cdc'
      ? `its changes are read from "${changes.from}" on, and it could not be copied to come back`
      : `it is read in mode ${mode}, and only streams of mode cdc are followed beside others`;
  throw coreErrors.refused(`"onFailure": "quarantine" is not for stream ${stream}: ${why}`);
}

/** What the job wants done about what has changed in a stream since its sinks got their shape. */
async function settled(out: StreamSchema, request: FlowRequest, { cwd }: Context): Promise<SettledSchema> {
  const known = request.known.get(out.stream);
  if (known === undefined) return { transforms: [], notes: [] };
  return settleSchema(known, out, request.schema, (schema, columns, unfit) =>
    bindTransform('cast', settingsAt([], { columns, unfit }), schema, request, cwd),
  );
}

function cursorOf({ lag, ...rest }: NonNullable<CheckedStream['cursor']>): Cursor {
  return { ...rest, ...(lag !== undefined && { lag: parseDuration(lag)! }) };
}

/** Asks the source whether it can read the streams as wanted. Modes that it does not have are refused later. */
async function planReads(
  drafts: readonly Draft[],
  source: Source,
  context: Context,
): Promise<ReadableDraft[]> {
  const asked = drafts.filter(({ read }) => source.capabilities.modes.includes(read.mode));
  const plans =
    (await source.planReads?.(
      asked.map(({ read }) => read),
      context,
    )) ?? [];
  const planOf = new Map(plans.map((plan) => [plan.stream, plan]));
  return drafts.map((draft) => {
    const { stream } = draft.schema;
    const plan = planOf.get(stream) ?? { stream, notes: [] };
    return { ...draft, reading: { ...plan, notes: [...plan.notes, ...draft.notes] } };
  });
}

function withKey(schema: StreamSchema, { key }: CheckedStream): StreamSchema {
  if (key === undefined) return schema;
  const names = schema.fields.map(({ name }) => name);
  const unknown = key.find((column) => !names.includes(column));
  if (unknown !== undefined) {
    const near = nearestName(unknown, names);
    throw coreErrors.jobInvalid(
      `the key of stream ${schema.stream} names "${unknown}", which is no column${near ? `; did you mean "${near}"?` : ''}`,
      { details: { stream: schema.stream } },
    );
  }
  return { ...schema, key };
}

/** One sink, and how it takes the streams. */
interface PlannedSink {
  readonly plan: SinkPlan;
  readonly targets: ReadonlyMap<string, TargetPlan>;
}

async function planSink(
  sink: SinkRequest,
  drafts: readonly ReadableDraft[],
  request: FlowRequest,
  context: Context,
): Promise<PlannedSink> {
  const { key, epoch } = request;
  let targets = drafts.flatMap((draft) => targetsOf(draft, sink, request));
  checkTargets(targets);
  let tables = await planTables(sink, targets, context);
  if (request.lossy === 'string') {
    const lossy = lossyColumns(targets, tables);
    targets = await Promise.all(targets.map((d) => keepAsText(d, lossy.get(d.draft)!, request, context)));
    tables = await planTables(sink, targets, context);
  }
  checkTables(tables);
  const plansOf = new Map<ReadableDraft, TargetPlan[]>(drafts.map((draft) => [draft, []]));
  for (const [i, d] of targets.entries()) plansOf.get(d.draft)!.push(finish(d, tables[i]!, sink, request));
  const byStream = new Map<string, TargetPlan>();
  const routes = new Map<string, readonly string[]>();
  for (const [{ schema, transforms }, own] of plansOf) {
    if (own.length === 0) continue;
    const isRouted = transforms.at(-1)?.routes !== undefined;
    const { stream } = schema;
    byStream.set(stream, isRouted ? joined(stream, own) : own[0]!);
    if (isRouted)
      routes.set(
        stream,
        own.map(({ table }) => table.stream),
      );
  }
  return {
    plan: {
      key: { ...key, sink: sink.name },
      sinkJob: `${key.job}/${key.flow}/${sink.name}`,
      sink: routes.size > 0 ? routedSink(sink.sink, routes) : sink.sink,
      identity: await sink.sink.identity(context),
      epoch: { ...DEFAULT_EPOCH, ...sink.sink.capabilities.epoch, ...epoch },
      onFailure: sink.onFailure,
    },
    targets: byStream,
  };
}

/** What is planned for the routes of a stream, as one. */
function joined(stream: string, plans: readonly TargetPlan[]): TargetPlan {
  const table = joinedTable(
    stream,
    plans.map((plan) => plan.table),
  );
  return { ...plans[0]!, table, notes: [...new Set(plans.flatMap(({ notes }) => notes))] };
}

function planTables(
  { sink }: SinkRequest,
  targets: readonly TargetDraft[],
  context: Context,
): Promise<TablePlan[]> {
  return sink.plan(
    targets.map((d) => d.request),
    context,
  );
}

/** The streams that arrive at sinks for one that is read, each with the name by which the job speaks of it. */
function routesOf({ transforms, out }: Draft): { readonly name: string; readonly out: StreamSchema }[] {
  const routes = transforms.at(-1)?.routes;
  if (routes === undefined) return [{ name: out.stream, out }];
  return routes.map((name) => ({ name, out: { ...out, stream: routedStream(out.stream, name) } }));
}

/** How the sink is asked to take what arrives of a stream; nothing where it does not. */
function targetsOf(draft: ReadableDraft, sink: SinkRequest, request: FlowRequest): TargetDraft[] {
  return routesOf(draft).flatMap(({ name, out }) => targetOf(draft, name, out, sink, request) ?? []);
}

function targetOf(
  draft: ReadableDraft,
  name: string,
  out: StreamSchema,
  sink: SinkRequest,
  request: FlowRequest,
): TargetDraft | undefined {
  const { catalog, settings, transforms } = draft;
  const { mode: read } = settings;
  const { stream } = out;
  const target = sink.targetSettings(name);
  if (target === undefined) return undefined;
  const hasKey = out.key.length > 0;
  const write = target.write ?? defaultWrite(read, hasKey, sink.sink.capabilities);
  const reason = refusal(
    {
      read,
      write,
      save: target.save,
      hasKey,
      hasCursor: settings.cursor !== undefined,
      ...(target.deletes && { deletes: target.deletes }),
    },
    request.source.capabilities,
    sink.sink.capabilities,
  );
  if (reason !== undefined) throw coreErrors.refused(`stream ${stream}: ${reason}`, { details: { stream } });
  const casts = read === 'cdc' ? keeping(write, target.deletes, out) : [];
  const untouched = transforms.length + casts.length === 0;
  const encodings = untouched ? (catalog.encodings ?? []) : [];
  const schema = casts.at(-1)?.out ?? out;
  const targetName = renderName(target.name ?? '{name}', name);
  const { save, options } = target;
  const told = { stream, target: targetName, schema, read, write, save, options, encodings };
  return { draft, casts, request: { ...told, ...fillsOf(draft, schema, write) } };
}

/** What the rows of a target are to be filled with. A log of changes says nothing of rows that did not change. */
function fillsOf(draft: Draft, schema: StreamSchema, write: WriteMode): Pick<SinkStream, 'fills'> {
  const fills = write === 'append' ? [] : fillsFor(draft.fills, draft.schema, schema);
  return fills.length === 0 ? {} : { fills };
}

function checkTargets(drafts: readonly TargetDraft[]): void {
  const taken = new Map<string, string>();
  for (const { request } of drafts) {
    const other = taken.get(request.target);
    if (other !== undefined) {
      throw coreErrors.targetsCollide(
        `${other} and ${request.stream} would both be written to ${request.target}`,
      );
    }
    taken.set(request.target, request.stream);
  }
}

/** Names that differ may still mean one table: the sink says which. Rows may be appended to a table by several streams. */
function checkTables(tables: readonly TablePlan[]): void {
  const taken = new Map<string, TablePlan>();
  for (const table of tables) {
    const { stream, target, write } = table;
    const other = taken.get(target);
    if (other !== undefined && (other.write !== 'append' || write !== 'append')) {
      throw coreErrors.targetsCollide(`${other.stream} and ${stream} would both be written to ${target}`);
    }
    taken.set(target, table);
  }
}

/** The columns of each stream that the sink would bend in one of its tables. */
function lossyColumns(
  targets: readonly TargetDraft[],
  tables: readonly TablePlan[],
): ReadonlyMap<Draft, ReadonlySet<string>> {
  const lossy = new Map(targets.map(({ draft }) => [draft as Draft, new Set<string>()]));
  for (const [i, { types }] of tables.entries()) {
    for (const { column, verdict } of types)
      if (verdict === 'lossy') lossy.get(targets[i]!.draft)!.add(column);
  }
  return lossy;
}

/** They become text before they get there. */
async function keepAsText(
  d: TargetDraft,
  lossy: ReadonlySet<string>,
  request: FlowRequest,
  context: Context,
): Promise<TargetDraft> {
  if (lossy.size === 0) return d;
  const columns = Object.fromEntries([...lossy].map((column) => [column, 'string']));
  const settings = settingsAt([], { columns });
  const cast = await bindTransform('cast', settings, d.request.schema, request, context.cwd);
  const { fills: _, ...told } = d.request;
  const own = fillsOf(d.draft, cast.out, told.write);
  return {
    ...d,
    casts: [...d.casts, cast],
    request: { ...told, schema: cast.out, encodings: [], ...own },
  };
}

function finish(d: TargetDraft, table: TablePlan, sink: SinkRequest, request: FlowRequest): TargetPlan {
  const { stream } = table;
  const notes = [...(table.notes ?? [])];
  const lossy = [...d.draft.catalog.types, ...table.types].filter(({ verdict }) => verdict === 'lossy');
  if (lossy.length > 0) {
    const list = lossy.map(
      ({ column, from, to, note }) => `${column} (${from} → ${to}${note ? `: ${note}` : ''})`,
    );
    if (request.lossy === 'fail') {
      throw coreErrors.lossyType(`stream ${stream} would lose values in ${list.join(', ')}`, {
        details: { stream },
      });
    }
    notes.push(`may lose values: ${list.join(', ')}`);
  }
  const guarantee = guaranteeFor(d, table, request);
  checkGuarantee(stream, guarantee, d.draft.reading, sink);
  return { table, casts: d.casts, guarantee, rung: rungOf(d, table), notes };
}

/** What is read for the sinks that take the stream; undefined when none does. */
function streamPlan(draft: ReadableDraft, sinks: readonly PlannedSink[]): StreamPlan | undefined {
  const { catalog, transforms, reading } = draft;
  const { stream } = draft.read;
  const targets = sinks.flatMap(({ plan, targets }) => {
    const target = targets.get(stream);
    return target === undefined ? [] : ([[plan.key.sink, target]] as const);
  });
  if (targets.length === 0) return undefined;
  const encoding = targets.map(([, { table }]) => table.encoding).find((format) => format !== undefined);
  const appends = targets.some(([, { table }]) => table.write === 'append');
  const read: StreamRead = {
    ...draft.read,
    resumable: draft.read.mode === 'full' && appends,
    ...(draft.read.mode === 'cdc' &&
      draft.read.from === undefined &&
      targets.some(([, { table }]) => showsEachOnce(table)) && { once: true }),
    ...(encoding !== undefined && { encoding }),
  };
  const { onFailure } = draft.settings;
  const fills = draft.fills.map(({ column }) => column);
  const rest = { transforms, fills, targets: Object.fromEntries(targets) };
  return { stream, onFailure, read, reading, catalog, ...rest };
}

function guaranteeFor(d: TargetDraft, table: TablePlan, request: FlowRequest): Guarantee {
  if (!request.source.capabilities.replay) return 'at least once';
  const guarantee = guaranteeOf(table.protocol);
  return table.protocol === 'keyed' && d.request.schema.key.length === 0 ? 'at least once' : guarantee;
}

const STRENGTH: { readonly [G in Guarantee]: number } = {
  'at least once': 0,
  'effectively once': 1,
  'exactly once': 2,
};

function checkGuarantee(
  stream: string,
  guarantee: Guarantee,
  { increments }: ReadPlan,
  { require }: SinkRequest,
): void {
  if (require === undefined) return;
  if (increments === 'lagged') {
    throw coreErrors.guaranteeMissed(
      `stream ${stream}: increments would miss rows that are committed later than the lag, the job requires ${require.replaceAll('-', ' ')}`,
      { details: { stream } },
    );
  }
  const wanted = require.replaceAll('-', ' ') as Guarantee;
  if (STRENGTH[guarantee] < STRENGTH[wanted]) {
    throw coreErrors.guaranteeMissed(
      `stream ${stream} would be delivered ${guarantee}, the job requires ${wanted}`,
      {
        details: { stream },
      },
    );
  }
}

function rungOf({ draft, casts }: TargetDraft, table: TablePlan): Rung {
  if (table.encoding !== undefined) return 'encoded';
  return [...draft.transforms, ...casts].some(({ rung }) => rung === 'rows') ? 'rows' : 'columns';
}

/** Copies commit in large epochs; each one is work that a crash repeats at most once. */
const DEFAULT_EPOCH: EpochBounds = { ms: 10_000, rows: 8_000_000, bytes: 512 << 20 };

const BATCH_ROWS = 8192;
const BATCH_BYTES = 2 << 20;
/** Batches that a lane holds at once: read ahead and in a transform, and for each sink in the writer and encoded. */
const BATCHES_OF_READING = 4;
const BATCHES_OF_SINK = 4;
/** More lanes than processors only add memory. */
const MOST_LANES = Math.max(2, Math.min(8, availableParallelism()));

function batchBounds(
  { batchMemory, rates, parallel }: FlowRequest,
  sinks: readonly SinkPlan[],
): Pick<FlowPlan, 'batchRows' | 'batchBytes' | 'laneBytes' | 'lanes'> {
  const batches = BATCHES_OF_READING + BATCHES_OF_SINK * sinks.length;
  const affordable = Math.max(1, Math.floor(batchMemory / (BATCH_BYTES * batches)));
  const wanted = parallel ?? MOST_LANES;
  const writers = sinks.map(({ sink }) => sink.capabilities.writers);
  const lanes = Math.max(1, Math.min(wanted, affordable, ...writers));
  const held = Math.max(64 << 10, Math.min(BATCH_BYTES, Math.floor(batchMemory / batches / lanes)));
  const epochRows = sinks.map(({ epoch }) => epoch.rows);
  // What comes in a second is read at once, and not what comes in ten.
  const rowsPerSecond = rates.map(({ rowsPerSecond }) => rowsPerSecond ?? BATCH_ROWS);
  const bytesPerSecond = rates.map(({ bytesPerSecond }) => bytesPerSecond ?? BATCH_BYTES);
  return {
    batchRows: atLeastOne(Math.min(BATCH_ROWS, ...epochRows, ...rowsPerSecond)),
    batchBytes: atLeastOne(Math.min(held, ...bytesPerSecond)),
    laneBytes: batches * held,
    lanes,
  };
}

function atLeastOne(bound: number): number {
  return Math.max(1, Math.floor(bound));
}
