/** How one stream will be written, by looking at the target as it is. Changes nothing. */
import { isGenerational, isKeyed, type JsonObject, type SinkStream, type TablePlan } from '@sluice/sdk';
import type { Database } from '../database/database.js';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { columnVerdict } from '../tables/column-type.js';
import { alterStatements } from '../tables/converge.js';
import { parseTarget, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { swapObstacle } from '../tables/swap.js';
import { isView, makerOf, readShape, type TableShape } from '../tables/table-shape.js';
import {
  createTableSql,
  type FillText,
  type TargetDetail,
  type WantedColumn,
  wantedColumns,
} from '../tables/target.js';
import { fillStatements, planFills } from './fill-columns.js';

/** Plans a stream; without a database there is none yet. */
export async function planTable(
  stream: SinkStream,
  schema: string,
  database: Database | undefined,
): Promise<TablePlan> {
  const session = database?.control;
  const { write, save } = stream;
  if (isKeyed(write) && stream.schema.key.length === 0) {
    throw duckdbErrors.keyMissing(`${stream.stream} has no key`, { details: { stream: stream.stream } });
  }
  const name = parseTarget(stream.target, schema);
  const columns = wantedColumns(stream.schema);
  const shape = session && (await readShape(session, name));
  await requireSaveMode(stream, name, shape, session);
  const stays = shape !== undefined && !isGenerational(write) && save !== 'recreate';
  const filling = database && stays ? await planFills(database, stream, name, shape) : undefined;
  const detail: TargetDetail = {
    ...{ schema: name.schema, table: name.table, save },
    ...(filling && filling.added.length > 0 && { fills: filling.added }),
  };
  return {
    stream: stream.stream,
    target: plainName(name),
    write,
    protocol: 'atomic',
    schema: stream.schema,
    publish: publishOf(stream, shape, columns),
    exists: shape !== undefined,
    ...(stream.fills && { fills: filling?.all ?? stream.fills.map(({ column }) => column) }),
    ...(filling && { lacks: filling.lacks }),
    ddl: await ddlOf(stream, name, shape, columns, session, filling?.added ?? []),
    types: stream.schema.fields.map(columnVerdict),
    ...notesOf(stream, shape, columns),
    detail: detail as unknown as JsonObject,
  };
}

async function requireSaveMode(
  { save, stream }: SinkStream,
  name: TableName,
  shape: TableShape | undefined,
  session: Session | undefined,
): Promise<void> {
  const details = { stream, table: plainName(name) };
  if (session && shape === undefined && (await isView(session, name))) {
    throw duckdbErrors.tableExists(`${plainName(name)} is a view`, { details });
  }
  if (save === 'require' && shape === undefined) {
    throw duckdbErrors.tableMissing(`${plainName(name)} is not there`, { details });
  }
  // Whether it was this job is looked at again where the job is known.
  if (save === 'fail' && shape !== undefined && makerOf(shape)?.stream !== stream) {
    throw duckdbErrors.tableExists(`${plainName(name)} is there, and was not made for ${stream}`, {
      details,
    });
  }
}

function publishOf(stream: SinkStream, shape: TableShape | undefined, columns: readonly WantedColumn[]) {
  if (!isGenerational(stream.write)) return 'none' as const;
  if (stream.write === 'mirror' && shape !== undefined && stream.save !== 'recreate') return 'merge' as const;
  return obstacleOf(stream, shape, columns) === undefined ? ('swap' as const) : ('refill' as const);
}

function obstacleOf({ save }: SinkStream, shape: TableShape | undefined, columns: readonly WantedColumn[]) {
  if (shape === undefined) return undefined;
  return swapObstacle(
    shape,
    columns.map((column) => column.name),
    save,
  );
}

async function ddlOf(
  stream: SinkStream,
  name: TableName,
  shape: TableShape | undefined,
  columns: readonly WantedColumn[],
  session: Session | undefined,
  fills: readonly FillText[],
): Promise<string[]> {
  const create = [`CREATE SCHEMA IF NOT EXISTS ${quote(name.schema)}`, createTableSql(name, columns)];
  if (shape === undefined) return create;
  if (stream.save === 'recreate') return [`DROP TABLE ${qualified(name)}`, ...create];
  if (session === undefined) return [];
  const typeOf = new Map(columns.map((column) => [column.name, column.type]));
  const rest = columns.filter((column) => !fills.some((fill) => fill.column === column.name));
  return [
    ...fills.flatMap((fill) => fillStatements(name, typeOf.get(fill.column)!, fill)),
    ...(await alterStatements(session, name, shape, rest)),
  ];
}

function notesOf(
  stream: SinkStream,
  shape: TableShape | undefined,
  columns: readonly WantedColumn[],
): { notes?: string[] } {
  const notes: string[] = [];
  const obstacle = stream.write === 'replace' ? obstacleOf(stream, shape, columns) : undefined;
  if (obstacle !== undefined) notes.push(`the table is refilled, not swapped: ${obstacle}`);
  if (isKeyed(stream.write) && shape?.constraints.some((text) => /PRIMARY KEY|UNIQUE/.test(text))) {
    notes.push('the table has a unique index, which makes upserts slower; the sink needs none');
  }
  return notes.length > 0 ? { notes } : {};
}
