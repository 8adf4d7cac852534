/** Plans one flow: discovery, transforms, types, targets, guarantees. Reads both systems and changes neither. */
import { availableParallelism } from 'node:os';
import {
  type BoundTransform,
  type CatalogStream,
  type Context,
  type Guarantee,
  guaranteeOf,
  isExact,
  nearestName,
  type Rung,
  type SinkStream,
  type StreamRead,
  type StreamSchema,
  type TablePlan,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { settingsAt } from '../job/check-settings.js';
import { bindTransform, bindTransforms } from './bind-transforms.js';
import type { EpochBounds, FlowPlan, StreamPlan } from './flow-plan.js';
import type { CheckedStream, FlowRequest } from './flow-request.js';
import { defaultWrite, refusal } from './modes-matrix.js';
import { targetName } from './target-name.js';

/** A stream on its way to being planned. */
interface Draft {
  readonly catalog: CatalogStream;
  readonly settings: CheckedStream;
  readonly schema: StreamSchema;
  readonly transforms: BoundTransform[];
  readonly request: SinkStream;
}

export async function planFlow(request: FlowRequest, context: Context): Promise<FlowPlan> {
  const { source, sink, key } = request;
  const chosen = await chooseStreams(request, context);
  let drafts = await Promise.all(chosen.map((catalog) => draft(catalog, request, context)));
  checkTargets(drafts);
  let tables = await sink.plan(
    drafts.map((d) => d.request),
    context,
  );
  if (request.lossy === 'string') {
    drafts = await Promise.all(drafts.map((d, i) => keepAsText(d, tables[i]!, request, context)));
    tables = await sink.plan(
      drafts.map((d) => d.request),
      context,
    );
  }
  const streams = drafts.map((d, i) => finish(d, tables[i]!, request));
  const epoch = epochBounds(request);
  const [sourceIdentity, targetIdentity] = await Promise.all([
    source.identity(context),
    sink.identity(context),
  ]);
  return {
    key,
    sinkJob: `${key.job}/${key.flow}/${key.sink}`,
    source,
    sink,
    capabilities: source.capabilities,
    sourceIdentity,
    targetIdentity,
    streams,
    epoch,
    ...batchBounds(request, epoch.rows),
    again: request.again,
    fresh: request.fresh,
    allowEmpty: request.allowEmpty,
  };
}

/** The streams that the job selects and the source has. */
async function chooseStreams(request: FlowRequest, context: Context): Promise<CatalogStream[]> {
  const { streams } = await request.source.discover(request.patterns, context);
  const chosen = streams.filter(({ schema }) => request.streamSettings(schema.stream) !== undefined);
  const names = new Set(streams.map(({ schema }) => schema.stream));
  for (const pattern of request.patterns ?? []) {
    if (isExact(pattern) && !names.has(pattern)) {
      const all = await request.source.discover(undefined, context);
      const known = all.streams.map(({ schema }) => schema.stream);
      const near = known.find((name) => name.endsWith(`.${pattern}`)) ?? nearestName(pattern, known);
      throw coreErrors.streamMissing(
        `the source has no stream "${pattern}"${near ? `; did you mean "${near}"?` : ''}`,
      );
    }
  }
  if (chosen.length === 0) {
    const wanted = request.patterns?.join(', ');
    throw coreErrors.streamMissing(
      wanted ? `no stream of the source matches ${wanted}` : 'the source has no streams',
    );
  }
  const unreadable = chosen.filter(({ problem }) => problem !== undefined);
  if (unreadable.length > 0) {
    const reasons = unreadable.map(({ schema, problem }) => `${schema.stream}: ${problem?.message}`);
    const first = unreadable[0]?.problem;
    // One problem speaks for itself: its code says more, and its class decides the exit code.
    if (unreadable.length === 1) throw first;
    throw coreErrors.streamUnreadable(reasons.join('; '), {
      cause: first,
      ...(first && { help: first.help }),
    });
  }
  return chosen;
}

async function draft(catalog: CatalogStream, request: FlowRequest, context: Context): Promise<Draft> {
  const { stream } = catalog.schema;
  const settings = request.streamSettings(stream)!;
  const schema = withKey(catalog.schema, settings);
  const transforms = await bindTransforms(schema, settings, request, context.cwd);
  const out = transforms.at(-1)?.out ?? schema;
  const target = request.targetSettings(stream);
  const { mode: read } = settings;
  const write = target.write ?? defaultWrite(read, out.key.length > 0, request.sink.capabilities);
  const reason = refusal(
    { read, write, save: target.save, hasKey: out.key.length > 0, hasCursor: settings.cursor !== undefined },
    request.source.capabilities,
    request.sink.capabilities,
  );
  if (reason !== undefined) throw coreErrors.refused(`stream ${stream}: ${reason}`, { details: { stream } });
  const encodings = transforms.length === 0 ? (catalog.encodings ?? []) : [];
  const name = targetName(target.name, stream);
  const { save, options } = target;
  return {
    catalog,
    settings,
    schema,
    transforms,
    request: { stream, target: name, schema: out, read, write, save, options, encodings },
  };
}

function withKey(schema: StreamSchema, { key }: CheckedStream): StreamSchema {
  if (key === undefined) return schema;
  const names = schema.fields.map(({ name }) => name);
  const unknown = key.find((column) => !names.includes(column));
  if (unknown !== undefined) {
    const near = nearestName(unknown, names);
    throw coreErrors.jobInvalid(
      `the key of stream ${schema.stream} names "${unknown}", which is no column${near ? `; did you mean "${near}"?` : ''}`,
    );
  }
  return { ...schema, key };
}

function checkTargets(drafts: readonly Draft[]): void {
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

/** Columns that the sink would bend become text before they get there. */
async function keepAsText(
  d: Draft,
  table: TablePlan,
  request: FlowRequest,
  context: Context,
): Promise<Draft> {
  const lossy = table.types.filter(({ verdict }) => verdict === 'lossy').map(({ column }) => column);
  if (lossy.length === 0) return d;
  const columns = Object.fromEntries(lossy.map((column) => [column, 'string']));
  const cast = await bindTransform(
    'cast',
    settingsAt([], { columns }),
    d.request.schema,
    request,
    context.cwd,
  );
  return {
    ...d,
    transforms: [...d.transforms, cast],
    request: { ...d.request, schema: cast.out, encodings: [] },
  };
}

function finish(d: Draft, table: TablePlan, request: FlowRequest): StreamPlan {
  const { stream } = table;
  const notes = [...(d.catalog.notes ?? []), ...(table.notes ?? [])];
  const lossy = [...d.catalog.types, ...table.types].filter(({ verdict }) => verdict === 'lossy');
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
  checkGuarantee(stream, guarantee, request);
  const read: StreamRead = {
    stream,
    mode: d.settings.mode,
    schema: d.schema,
    generation: 0,
    options: d.settings.source,
    resumable: table.write === 'append' && d.settings.mode === 'full',
    ...(d.settings.cursor && { cursor: d.settings.cursor }),
    ...(table.encoding !== undefined && { encoding: table.encoding }),
  };
  return {
    stream,
    read,
    catalog: d.catalog,
    transforms: d.transforms,
    table,
    guarantee,
    rung: rungOf(d, table),
    notes,
  };
}

function guaranteeFor(d: Draft, table: TablePlan, request: FlowRequest): Guarantee {
  if (!request.source.capabilities.replay) return 'at least once';
  const guarantee = guaranteeOf(table.protocol);
  return table.protocol === 'keyed' && d.request.schema.key.length === 0 ? 'at least once' : guarantee;
}

const STRENGTH: { readonly [G in Guarantee]: number } = {
  'at least once': 0,
  'effectively once': 1,
  'exactly once': 2,
};

function checkGuarantee(stream: string, guarantee: Guarantee, { require }: FlowRequest): void {
  if (require === undefined) return;
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

function rungOf({ transforms }: Draft, table: TablePlan): Rung {
  if (table.encoding !== undefined) return 'encoded';
  return transforms.some(({ rung }) => rung === 'rows') ? 'rows' : 'columns';
}

/** Copies commit in large epochs; each one is work that a crash repeats at most once. */
const DEFAULT_EPOCH: EpochBounds = { ms: 10_000, rows: 8_000_000, bytes: 512 << 20 };

function epochBounds({ epoch, sink }: FlowRequest): EpochBounds {
  return { ...DEFAULT_EPOCH, ...sink.capabilities.epoch, ...epoch };
}

const BATCH_ROWS = 16_384;
const BATCH_BYTES = 2 << 20;
/** Batches that a lane holds at once: read ahead, in a transform, in the writer, and their encoded forms. */
const BATCHES_OF_LANE = 8;
/** More lanes than processors only add memory. */
const MOST_LANES = Math.max(2, Math.min(8, availableParallelism()));

function batchBounds(
  { memory, parallel, sink }: FlowRequest,
  epochRows: number,
): { batchRows: number; batchBytes: number; lanes: number } {
  const affordable = Math.max(1, Math.floor(memory / 2 / (BATCH_BYTES * BATCHES_OF_LANE)));
  const wanted = parallel ?? MOST_LANES;
  const lanes = Math.max(1, Math.min(wanted, affordable, sink.capabilities.writers));
  const batchBytes = Math.max(
    64 << 10,
    Math.min(BATCH_BYTES, Math.floor(memory / 2 / BATCHES_OF_LANE / lanes)),
  );
  return { batchRows: Math.min(BATCH_ROWS, epochRows), batchBytes, lanes };
}
