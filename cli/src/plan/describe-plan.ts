/** A plan as data: what `sluice plan` shows to people and hands to programs. */
import type { FlowPlan, Job, JobConnection, JobPlan, StreamPlan } from '@sluice/core';
import {
  formatType,
  type Guarantee,
  type JsonObject,
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

export interface StreamDescription {
  readonly stream: string;
  readonly read: ReadMode;
  readonly cursor?: string;
  readonly key: readonly string[];
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  readonly options: JsonObject;
  readonly transforms: number;
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

export interface FlowDescription {
  readonly flow: string;
  readonly source: ConnectionDescription;
  readonly sink: ConnectionDescription;
  /** Whether readers of the target see a transaction of the source whole or in parts. */
  readonly transactions: 'whole' | 'partial';
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
  { key, sink, capabilities, lanes, streams }: FlowPlan,
  job: Pick<Job, 'flows'>,
): FlowDescription {
  const declared = job.flows.find(({ name }) => name === key.flow)!;
  return {
    flow: key.flow,
    source: describeConnection(declared.connection),
    sink: describeConnection(declared.sink.connection),
    transactions: sink.capabilities.transactions,
    incremental: capabilities.incremental,
    lanes,
    streams: streams.map(describeStream),
  };
}

function describeConnection({ name, connector }: JobConnection): ConnectionDescription {
  return { connection: name, connector };
}

function describeStream(plan: StreamPlan): StreamDescription {
  const { stream, read, catalog, transforms, table, guarantee, rung, notes } = plan;
  return {
    stream,
    read: read.mode,
    ...(read.cursor && { cursor: read.cursor.column }),
    key: table.schema.key,
    ...(catalog.estimatedRows !== undefined && { estimatedRows: catalog.estimatedRows }),
    ...(catalog.estimatedBytes !== undefined && { estimatedBytes: catalog.estimatedBytes }),
    options: read.options,
    transforms: transforms.length,
    target: table.target,
    write: table.write,
    protocol: table.protocol,
    guarantee,
    rung,
    publish: table.publish,
    exists: table.exists,
    columns: describeColumns(plan),
    ddl: table.ddl,
    notes,
  };
}

function describeColumns({ catalog, transforms, table }: StreamPlan): ColumnDescription[] {
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
