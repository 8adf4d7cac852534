/**
 * Increments by a cursor: each run reads what lies behind the end of the last one, up to the present. Nobody else
 * writes to a file that is open for reading only, so nothing of the past is still to come; other files, and values
 * that DuckDB's clock has not set, are read with a lag.
 */
import { type CursorField, cursorField, type Json, type ReadPlan, type StreamRead } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { compareKeys } from '../tables/compare-keys.js';
import { literal, qualified, quote, type TableName } from '../tables/identifiers.js';
import { columnExpression, type SourceColumn } from './catalog.js';
import type { Stretch } from './queries.js';
import { placeColumns, type SplitSpec } from './splits.js';

/** Milliseconds that writers may be late where nothing else is said. */
const DEFAULT_LAG = 60_000;

/** How far a table has been read. Values as text. */
interface CursorPlace {
  /** Rows whose cursor is less are read. */
  readonly before?: string;
  /** Rows up to this one are read: the cursor, and perhaps the key behind it. */
  readonly after?: readonly string[];
}

/** A stream that is read by a cursor. */
export interface CursorTable {
  readonly read: StreamRead;
  readonly name: TableName;
  readonly columns: readonly SourceColumn[];
  /** Whether the file is open for reading only. */
  readonly quiet: boolean;
}

/** Whether a stream can be read by its cursor, and what will be missed. Throws `SLUICE-DUCKDB-0028`. */
export async function planCursor(session: Session, read: StreamRead, quiet: boolean): Promise<ReadPlan> {
  const cursor = cursorField(read, duckdbErrors.cursorUnfit);
  await shownNow(session, cursor);
  const doubts = doubtsOf(cursor, quiet);
  const { column, kind, nullable } = cursor;
  const notes: string[] = [];
  if (doubts.length > 0) {
    const late = kind === 'number' ? 'with a lower number' : `more than ${lagOf(cursor, quiet)} ms late`;
    notes.push(`lagged: rows that come ${late} are missed, since ${doubts.join('; ')}`);
  }
  if (kind === 'number') notes.push(`rows that change without a new ${column} are not read again`);
  if (nullable) notes.push(`rows without ${column} are not read`);
  return { stream: read.stream, increments: doubts.length === 0 ? 'exact' : 'lagged', notes };
}

function doubtsOf({ column, clock }: CursorField, quiet: boolean): string[] {
  return [
    ...(clock === 'database' ? [] : [`${column} is not said to be set by DuckDB ("clock": "database")`]),
    ...(quiet ? [] : ['the file is open for writing ("readOnly": false)']),
  ];
}

function lagOf(cursor: CursorField, quiet: boolean): number {
  return doubtsOf(cursor, quiet).length === 0 ? 0 : (cursor.lag ?? DEFAULT_LAG);
}

/** What is to be read now: nothing, or the stretches of the window. Throws `SLUICE-DUCKDB-0030`. */
export async function cursorStretches(
  session: Session,
  table: CursorTable,
  spec: SplitSpec & { readonly by: 'cursor' },
  at: Json,
  cuts: readonly Json[],
  warn: (message: string) => void,
): Promise<Stretch[]> {
  const { read, name, columns, quiet } = table;
  const cursor = cursorField(read, duckdbErrors.cursorUnfit);
  if (spec.column !== cursor.column) {
    throw duckdbErrors.cursorChanged(
      `${read.stream} was read by ${spec.column} before, and now by ${cursor.column}`,
    );
  }
  const order = [quote(spec.column), ...placeColumns(spec).slice(1).map(quote)];
  const types = placeTypes(spec, columns);
  const place = (position: Json) => placed(position, order, types);
  const from = `FROM ${qualified(name)}`;
  const end = await windowEnd(session, cursor, from, at, quiet);
  if (end === undefined) return [];
  const window = [place(at).behind, place(end).upTo].filter(Boolean).join(' AND ');
  const [found] = await session.rows(
    `SELECT EXISTS (SELECT 1 ${from} WHERE ${window}) AS some, ${unreadable(cursor, from)} AS lost`,
    'look for new rows',
  );
  if (found!['lost'] === true)
    warn(`rows of ${read.stream} are not read: their ${spec.column} is null or infinite`);
  if (found!['some'] !== true) return [];
  const positions = placeColumns(spec);
  const selected = [
    ...read.schema.fields.map((f) => columnExpression(columns.find((column) => column.name === f.name)!)),
    ...positions.map((column) => `CAST(${quote(column)} AS VARCHAR)`),
  ];
  const sorting = positions.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  const inside = await cutsInside(session, cuts, at, end, types);
  return [...inside, end].map((until, i) => {
    const conditions = [place(i === 0 ? at : inside[i - 1]!).behind, place(until).upTo];
    const where = conditions.filter(Boolean).join(' AND ');
    return { sql: `SELECT ${selected.join(', ')} ${from} WHERE ${where}${sorting}`, end: until };
  });
}

/** Up to where the past is settled; undefined where there is nothing. */
async function windowEnd(
  session: Session,
  cursor: CursorField,
  from: string,
  at: Json,
  quiet: boolean,
): Promise<Json | undefined> {
  const column = quote(cursor.column);
  if (cursor.kind === 'number') {
    const [row] = await session.rows(
      `SELECT CAST(max(${column}) AS VARCHAR) AS highest ${from}`,
      'look for new rows',
    );
    const highest = row!['highest'];
    return typeof highest === 'string' ? { after: [highest] } : undefined;
  }
  const { now, settled } = await shownNow(session, cursor, lagOf(cursor, quiet));
  const { before, after } = (at ?? {}) as CursorPlace;
  const last = after?.[0] ?? before;
  if (last !== undefined) {
    const [row] = await session.rows(`SELECT ${moment(last)} > ${moment(now)} AS behind`, 'compare clocks');
    if (row!['behind'] === true) {
      throw duckdbErrors.clockBehind(
        `rows up to ${last} of ${cursor.column} were read before, and the clock shows ${now}`,
      );
    }
  }
  return { before: settled };
}

/** Texts of moments, with and without a zone, in one order. */
function moment(text: string): string {
  return `CAST(${literal(text)} AS TIMESTAMPTZ)`;
}

/** The present, and what is settled, as the cursor's values would show them. */
async function shownNow(
  session: Session,
  { kind, zone }: CursorField,
  lag = 0,
): Promise<{ now: string; settled: string }> {
  const shown = (instant: string) => (kind === 'local' ? earliestShown(instant, zone!) : instant);
  const settled = `now() - INTERVAL ${lag} MILLISECONDS`;
  try {
    const [row] = await session.rows(
      `SELECT CAST(${shown('now()')} AS VARCHAR) AS now, CAST(${shown(`(${settled})`)} AS VARCHAR) AS settled`,
      'read the clock',
    );
    return { now: row!['now'] as string, settled: row!['settled'] as string };
  } catch (cause) {
    if (kind !== 'local') throw cause;
    throw duckdbErrors.cursorUnfit(`DuckDB knows no time zone ${zone}`, { cause });
  }
}

/** The earliest that clocks of a zone still show from a moment on: they may be set back by whole quarters of an hour. */
function earliestShown(instant: string, zone: string): string {
  const quarter = `to_timestamp(ceil(epoch(${instant}) / 900) * 900 + quarter.n * 900)`;
  const later = `(SELECT min(${quarter} AT TIME ZONE ${literal(zone)}) FROM range(0, 13) AS quarter(n))`;
  return `LEAST(${instant} AT TIME ZONE ${literal(zone)}, ${later})`;
}

interface Conditions {
  /** Rows behind the place; undefined: all. */
  readonly behind: string | undefined;
  readonly upTo: string | undefined;
}

function placed(position: Json, order: readonly string[], types: readonly string[]): Conditions {
  const { before, after } = (position ?? {}) as CursorPlace;
  if (after !== undefined) {
    const values = after.map((text, i) => `CAST(${literal(text)} AS ${types[i]})`);
    return { behind: compareKeys(order, '>', values), upTo: compareKeys(order, '<=', values) };
  }
  if (before === undefined) return { behind: undefined, upTo: undefined };
  const value = `CAST(${literal(before)} AS ${types[0]})`;
  return { behind: `${order[0]} >= ${value}`, upTo: `${order[0]} < ${value}` };
}

function placeTypes(spec: SplitSpec & { readonly by: 'cursor' }, columns: readonly SourceColumn[]): string[] {
  const names = [spec.column, ...placeColumns(spec).slice(1)];
  return names.map((name) => columns.find((column) => column.name === name)!.read.sql);
}

/** Cuts between the window's ends, in their order. */
async function cutsInside(
  session: Session,
  cuts: readonly Json[],
  at: Json,
  end: Json,
  types: readonly string[],
): Promise<Json[]> {
  const wanted = cuts.filter((cut) => cut !== null);
  if (wanted.length === 0) return [];
  const places = [...(at === null ? [] : [at]), ...wanted, end];
  const rows = places.map((position, i) => {
    const { before, after } = position as unknown as CursorPlace;
    const values = types.map((type, k) => {
      const value = after === undefined && k === 0 ? before : after?.[k];
      return `CAST(${value === undefined ? 'NULL' : literal(value)} AS ${type}) AS c${k}`;
    });
    // Before all rows of a value, behind some of them, behind all of them.
    const rank = after === undefined ? 0 : after.length < types.length ? 2 : 1;
    return `SELECT ${i} AS number, ${rank} AS place, ${values.join(', ')}`;
  });
  const order = ['c0', 'place', ...types.slice(1).map((_, k) => `c${k + 1}`)].join(', ');
  const sorted = await session.rows(
    `SELECT number FROM (${rows.join(' UNION ALL ')}) ORDER BY ${order}`,
    'order cuts',
  );
  const numbers = sorted.map((row) => Number(row['number']));
  const first = at === null ? 0 : numbers.indexOf(0) + 1;
  return numbers.slice(first, numbers.indexOf(places.length - 1)).map((i) => places[i]!);
}

function unreadable({ column, kind, nullable }: CursorField, from: string): string {
  const conditions = [
    ...(nullable ? [`${quote(column)} IS NULL`] : []),
    ...(kind === 'number' ? [] : [`NOT isfinite(${quote(column)})`]),
  ];
  return conditions.length === 0 ? 'false' : `EXISTS (SELECT 1 ${from} WHERE ${conditions.join(' OR ')})`;
}
