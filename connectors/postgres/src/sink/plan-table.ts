/** Plans how streams are written, from their targets as they are. Changes nothing. */
import {
  isGenerational,
  isKeyed,
  type SinkStream,
  type TablePlan,
  type TypeVerdict,
  VALID_FROM,
} from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { tableError } from '../connection/table-error.js';
import { pgErrors } from '../errors.js';
import { ident, parseStreamName, qualified, streamName } from '../quote.js';
import { takesFrames } from '../types/frames-format.js';
import { mergeFrom } from './merge-sql.js';
import { type ColumnPlan, existingColumns, mismatch, newColumns } from './plan-columns.js';
import { type NamedStream, type PlanFacts, planFacts } from './plan-facts.js';
import { planFills } from './plan-fills.js';
import type { RecordTables } from './record-tables.js';
import { asJson, type TableDetail } from './table-detail.js';
import {
  addKey,
  alterations,
  columnList,
  columnNames,
  createSchema,
  createStaging,
  createTable,
  mustBeFilled,
} from './table-sql.js';
import { sameColumns, type Target } from './target.js';

/** NAMEDATALEN - 1. */
const MOST_NAME_BYTES = 63;
/** A table has 1,600 at most, of which our temporary ones need four. */
const MOST_BUFFERED_COLUMNS = 1596;

/** Streams that are planned together: what is known of more tables at once would only take memory. */
const STREAMS_AT_ONCE = 500;

/** How each stream is written. Streams whose target has no schema go to `defaultSchema`. */
export async function planTables(
  session: Session,
  tables: RecordTables,
  defaultSchema: string,
  streams: readonly SinkStream[],
): Promise<TablePlan[]> {
  const named = streams.map((stream): NamedStream => {
    const name = parseStreamName(stream.target, defaultSchema);
    ofStream(stream, () => checkNames([name.schema, name.table, ...stream.schema.fields.map((f) => f.name)]));
    return { stream, name };
  });
  const plans: TablePlan[] = [];
  for (let i = 0; i < named.length; i += STREAMS_AT_ONCE) {
    const part = named.slice(i, i + STREAMS_AT_ONCE);
    const facts = await planFacts(session, tables, part);
    plans.push(...part.map((each) => ofStream(each.stream, () => planTable(each, facts))));
  }
  return plans;
}

/** What is wrong with a stream or its target is said of that stream. */
function ofStream<T>({ stream }: SinkStream, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw tableError(error, stream);
  }
}

function planTable({ stream, name }: NamedStream, facts: PlanFacts): TablePlan {
  const { write } = stream;
  const target = facts.target(name);
  const ours = target !== undefined && facts.isOurs(stream.stream, target);
  checkSaveMode(stream, target, ours);
  const reasons = target === undefined ? [] : whyRefill(stream, target, ours, facts);
  const publish = publishOf(stream, target, reasons);
  const isNew = target === undefined || stream.save === 'recreate' || publish === 'swap';
  const additions = newColumns(facts.types, stream.schema, name);
  const plans = isNew ? additions : existingColumns(stream.schema, target, additions, ours);
  if (!isNew && !ours) checkLeftOut(stream, target);
  checkWidth(stream, plans, isNew ? undefined : target);
  const key = planKey(stream, isNew ? undefined : target);
  const filling = isNew ? undefined : planFills(stream, plans, target, facts.filled(stream.stream, target));
  const columns = plans.map(({ column }) => {
    const fill = filling?.added.get(column.name);
    const wanted = key.includes(column.name) ? { ...column, nullable: false } : column;
    return fill === undefined ? wanted : { ...wanted, fill };
  });
  const detail: TableDetail = {
    ...name,
    columns,
    key,
    keyed: isKeyed(write),
    save: stream.save,
    ours,
    ordered: !isNew && facts.isOrdered(target),
  };
  const encoding = stream.encodings.find((format) => accepts(format, plans));
  const ddl = [
    ...(facts.hasSchema(name.schema) ? [] : [createSchema(name.schema)]),
    ...ddlOf(stream, detail, target, publish),
  ];
  // Whose a target is that must be new, only the record knows.
  const fits = ddl.length === 0 && publish === 'none' && target !== undefined && stream.save !== 'fail';
  const notes = publish === 'refill' ? reasons.map((reason) => `refilled instead of swapped: ${reason}`) : [];
  return {
    stream: stream.stream,
    target: streamName(name),
    write,
    protocol: 'atomic',
    schema: stream.schema,
    ...(encoding !== undefined && { encoding }),
    publish,
    exists: target !== undefined,
    ...(stream.fills && { fills: filling?.all ?? stream.fills.map(({ column }) => column) }),
    ...(filling !== undefined && { lacks: filling.lacks }),
    ...(fits && { fits }),
    ddl,
    types: plans.map((plan): TypeVerdict => plan.verdict),
    ...(notes.length > 0 && { notes }),
    detail: asJson(detail),
  };
}

function publishOf(
  { write, save }: SinkStream,
  target: Target | undefined,
  reasons: readonly string[],
): TablePlan['publish'] {
  if (!isGenerational(write)) return 'none';
  if (target === undefined || save === 'recreate') return 'swap';
  if (write === 'mirror') return 'merge';
  return reasons.length === 0 ? 'swap' : 'refill';
}

/** The server would cut longer names off, and two of them could become one. */
function checkNames(names: readonly string[]): void {
  for (const name of names) {
    if (name === '' || name.includes('\0') || Buffer.byteLength(name) > MOST_NAME_BYTES) {
      const shown = JSON.stringify(name.slice(0, 100));
      throw pgErrors.badName(`${shown} cannot be a name: PostgreSQL takes 1 to ${MOST_NAME_BYTES} bytes`);
    }
  }
}

/** Bytes pass through where every column takes them as they are. */
function accepts(format: string, plans: readonly ColumnPlan[]): boolean {
  if (plans.some(({ column }) => column.viaText)) return false;
  return takesFrames(
    format,
    plans.map(({ column }) => column.wire),
  );
}

function checkSaveMode(
  { stream, save, target: name }: SinkStream,
  target: Target | undefined,
  ours: boolean,
): void {
  const details = { stream, target: name };
  if (target === undefined) {
    if (save === 'require') throw pgErrors.targetMissing(`${name} is not there`, { details });
    return;
  }
  if (target.kind !== 'r' && target.kind !== 'p') {
    throw pgErrors.unsupported(`${name} is no table: rows can be written to tables and partitioned tables`, {
      details,
    });
  }
  if (save === 'fail' && !ours) throw pgErrors.targetExists(`${name} is there already`, { details });
}

function whyRefill(
  { write }: SinkStream,
  target: Target,
  ours: boolean,
  facts: PlanFacts,
): readonly string[] {
  if (write !== 'replace') return [];
  return ours ? facts.hungOn(target) : ['the table was not created by this job'];
}

/** Columns of the target that the stream does not have must fill themselves. */
function checkLeftOut({ schema }: SinkStream, target: Target): void {
  const names = new Set(schema.fields.map((f) => f.name));
  const stuck = target.columns.find((column) => !names.has(column.name) && mustBeFilled(column));
  if (stuck !== undefined) {
    throw mismatch(
      target,
      `column ${stuck.name} is NOT NULL, has no default and does not come with the stream`,
    );
  }
}

/**
 * Rows that go through a temporary table need room there for a few columns more, and rows without columns a table
 * without any.
 */
function checkWidth(
  { stream, write }: SinkStream,
  plans: readonly ColumnPlan[],
  target: Target | undefined,
): void {
  const details = { stream };
  if (plans.length === 0 && target !== undefined && target.columns.length > 0) {
    throw pgErrors.unsupported(`${stream} has no columns, and ${qualified(target)} has some`, { details });
  }
  const buffered = isKeyed(write) || plans.some(({ column }) => column.viaText);
  if (buffered && plans.length > MOST_BUFFERED_COLUMNS) {
    throw pgErrors.unsupported(
      `${stream} has ${plans.length} columns: by their key, or as text, rows of at most ${MOST_BUFFERED_COLUMNS} are written`,
      { details },
    );
  }
}

/** Columns by which rows are replaced, or that become the primary key. */
function planKey({ stream, schema, write }: SinkStream, target: Target | undefined): readonly string[] {
  if (write === 'append') return [];
  if (write === 'replace') return target === undefined ? schema.key : [];
  // Versions of one row are told apart by their beginning.
  const key = write === 'history' ? [...schema.key, VALID_FROM] : schema.key;
  if (schema.key.length === 0)
    throw pgErrors.keyMissing(`${stream} has no key: rows cannot be replaced by it`, { details: { stream } });
  if (target !== undefined && !target.uniqueKeys.some((unique) => sameColumns(unique, key))) {
    const index = `CREATE UNIQUE INDEX ON ${qualified(target)} (${columnNames(key)})`;
    throw pgErrors.keyMissing(
      `${qualified(target)} has no unique index on ${key.map(ident).join(', ')}; create it: ${index}`,
      {
        details: { stream, index },
      },
    );
  }
  return key;
}

function ddlOf(
  { save }: SinkStream,
  detail: TableDetail,
  target: Target | undefined,
  publish: TablePlan['publish'],
): string[] {
  if (publish === 'none') {
    if (target === undefined) return [createTable(detail)];
    if (save === 'recreate') return [`DROP TABLE ${qualified(detail)}`, createTable(detail)];
    return alterations(detail, target);
  }
  const staging = { schema: detail.schema, table: '_sluice_<stream>_g<generation>' };
  const create = detail.keyed ? createTable({ ...detail, ...staging }) : createStaging(detail, staging);
  if (publish === 'refill') {
    const names = detail.columns.map((column) => column.name);
    return [
      create,
      ...alterations(detail, target!),
      `DELETE FROM ${qualified(detail)}`,
      `INSERT INTO ${qualified(detail)}${columnList(names)} SELECT ${columnNames(names)} FROM ${qualified(staging)}`,
      `DROP TABLE ${qualified(staging)}`,
    ];
  }
  if (publish === 'merge') {
    return [
      create,
      ...alterations(detail, target!),
      ...mergeFrom(staging, detail),
      `DROP TABLE ${qualified(staging)}`,
    ];
  }
  return [
    create,
    ...(detail.key.length > 0 && !detail.keyed ? [addKey(staging, detail.key)] : []),
    ...(target === undefined ? [] : [`DROP TABLE ${qualified(detail)}`]),
    `ALTER TABLE ${qualified(staging)} RENAME TO ${ident(detail.table)}`,
  ];
}
