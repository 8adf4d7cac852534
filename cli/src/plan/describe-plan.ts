/** A plan as data: what `sluice plan` shows to people and hands to programs. */
import {
  type FlowPlan,
  type Job,
  type JobConnection,
  type JobFlow,
  type JobPlan,
  type SinkPlan,
  type StreamPlan,
  type TargetPlan,
  tablesOf,
} from '@sluice/core';
import {
  type BoundTransform,
  type CatalogStream,
  formatType,
  type Guarantee,
  type JsonObject,
  matchesPattern,
  type Protocol,
  type ReadMode,
  type Rung,
  type TablePlan,
  type TypeVerdict,
  type Verdict,
  type WriteMode,
  worst,
} from '@sluice/sdk';

export interface ColumnDescription {
  readonly column: string;
  /** The source's own type; absent where a transform makes or changes the column. */
  readonly source?: string;
  /** The logical type that arrives at the sink. */
  readonly type: string;
  readonly nullable: boolean;
  /** The sink's own type. */
  readonly target: string;
  readonly verdict: Verdict;
  /** What is lost, for `lossy`. */
  readonly notes: readonly string[];
}

/** One stream on its way to one sink. */
export interface StreamDescription {
  readonly stream: string;
  /** The sink's name in the flow. */
  readonly sink: string;
  readonly read: ReadMode;
  readonly cursor?: string;
  /** Whether an incremental read misses no row, or only those that come within the lag. */
  readonly increments?: 'exact' | 'lagged';
  readonly key: readonly string[];
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  readonly options: JsonObject;
  /** Names of the transforms, in order: declared types and what the sink needs as text are `cast`. */
  readonly transforms: readonly string[];
  readonly target: string;
  readonly write: WriteMode;
  readonly protocol: Protocol;
  readonly guarantee: Guarantee;
  readonly rung: Rung;
  readonly publish: TablePlan['publish'];
  readonly exists: boolean;
  readonly columns: readonly ColumnDescription[];
  readonly ddl: readonly string[];
  readonly notes: readonly string[];
}

export interface ConnectionDescription {
  /** Its name in the job. */
  readonly connection: string;
  readonly connector: string;
}

export interface SinkDescription extends ConnectionDescription {
  /** Its name in the flow. */
  readonly sink: string;
  /** Whether readers of the target see a transaction of the source whole or in parts. */
  readonly transactions: 'whole' | 'partial';
  readonly onFailure: 'stop' | 'detach';
}

/** A sink that cannot be used now and that the flow would go on without. */
export interface DetachedDescription {
  readonly sink: string;
  readonly code: string;
  readonly message: string;
}

/** A stream that the flow goes on without. */
export interface QuarantinedDescription {
  readonly stream: string;
  readonly code: string;
  readonly message: string;
  /** Since when, in epoch milliseconds; missing where the next run would be the first without it. */
  readonly since?: number;
}

export interface FlowDescription {
  readonly flow: string;
  readonly source: ConnectionDescription;
  readonly sinks: readonly SinkDescription[];
  readonly detached: readonly DetachedDescription[];
  readonly quarantined: readonly QuarantinedDescription[];
  /** How gap-free increments are. */
  readonly incremental: 'exact' | 'lagged' | 'none';
  readonly lanes: number;
  readonly streams: readonly StreamDescription[];
}

export interface PlanDescription {
  readonly job: string;
  readonly flows: readonly FlowDescription[];
}

export function describePlan({ name, flows }: JobPlan, job: Pick<Job, 'flows'>): PlanDescription {
  return { job: name, flows: flows.map((flow) => describeFlow(flow, job)) };
}

function describeFlow(
  { key, sinks, detached, quarantined, capabilities, lanes, streams }: FlowPlan,
  job: Pick<Job, 'flows'>,
): FlowDescription {
  const declared = job.flows.find(({ name }) => name === key.flow)!;
  const connectionOf = ({ key: { sink } }: SinkPlan) =>
    declared.sinks.find(({ name }) => name === sink)!.connection;
  return {
    flow: key.flow,
    source: describeConnection(declared.connection),
    sinks: sinks.map((plan) => ({
      sink: plan.key.sink,
      ...describeConnection(connectionOf(plan)),
      transactions: plan.sink.capabilities.transactions,
      onFailure: plan.onFailure,
    })),
    detached: detached.map(({ sink, error: { code, message } }) => ({ sink, code, message })),
    quarantined: quarantined.map(({ stream, at, error: { code, message } }) => ({
      stream,
      code,
      message,
      ...(at !== undefined && { since: at }),
    })),
    incremental: streams.some(({ reading }) => reading.increments === 'lagged')
      ? 'lagged'
      : capabilities.incremental,
    lanes,
    streams: streams.flatMap((stream) =>
      Object.entries(stream.targets).flatMap(([sink, target]) =>
        tablesOf(target.table).map((table) => describeStream(stream, declared, sink, { ...target, table })),
      ),
    ),
  };
}

function describeConnection({ name, connector }: JobConnection): ConnectionDescription {
  return { connection: name, connector };
}

function describeStream(
  plan: StreamPlan,
  flow: JobFlow,
  sink: string,
  target: TargetPlan,
): StreamDescription {
  const { stream, read, reading, catalog } = plan;
  const { table, guarantee, rung, notes } = target;
  const transforms = [...plan.transforms, ...target.casts];
  return {
    stream,
    sink,
    read: read.mode,
    ...(read.cursor && { cursor: read.cursor.column }),
    ...(reading.increments && { increments: reading.increments }),
    key: table.schema.key,
    ...(catalog.estimatedRows !== undefined && { estimatedRows: catalog.estimatedRows }),
    ...(catalog.estimatedBytes !== undefined && { estimatedBytes: catalog.estimatedBytes }),
    options: read.options,
    transforms: transformNames(plan, flow, target),
    target: table.target,
    write: table.write,
    protocol: table.protocol,
    guarantee,
    rung,
    publish: table.publish,
    exists: table.exists,
    columns: describeColumns(catalog, transforms, table),
    ddl: table.ddl,
    notes: [...(catalog.notes ?? []), ...reading.notes, ...notes],
  };
}

/** As they were bound: the types that the job declares, the flow's transforms, what the sink needs. */
function transformNames(
  { stream, transforms }: StreamPlan,
  flow: JobFlow,
  { casts }: TargetPlan,
): readonly string[] {
  const named = flow.transforms
    .filter(({ streams }) => streams?.some((pattern) => matchesPattern(pattern, stream)) ?? true)
    .map(({ use }) => use);
  const declared = transforms.slice(named.length).map(() => 'cast');
  return [...declared, ...named, ...casts.map(() => 'cast')];
}

function describeColumns(
  catalog: CatalogStream,
  transforms: readonly BoundTransform[],
  table: TablePlan,
): ColumnDescription[] {
  const made = new Set(transforms.flatMap(({ writes }) => writes));
  const fromSource = new Map(catalog.types.map((verdict) => [verdict.column, verdict]));
  const toTarget = new Map(table.types.map((verdict) => [verdict.column, verdict]));
  return table.schema.fields.map(({ name, type, nullable }) => {
    const source = made.has(name) ? undefined : fromSource.get(name);
    const target = toTarget.get(name);
    const steps = [source, target].filter((step): step is TypeVerdict => step !== undefined);
    return {
      column: name,
      ...(source && { source: source.from }),
      type: formatType(type),
      nullable,
      target: target?.to ?? '',
      verdict: steps.map(({ verdict }) => verdict).reduce(worst, 'exact'),
      notes: steps.flatMap(({ note }) => (note === undefined ? [] : [note])),
    };
  });
}
