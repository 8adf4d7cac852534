/** The queries that read a split, one for each stretch between positions at which a batch must end. */
import type { Json, StreamSchema } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { compareKeys } from '../tables/compare-keys.js';
import { literal, qualified, quote, type TableName } from '../tables/identifiers.js';
import { columnExpression, type SourceColumn } from './catalog.js';
import type { SplitSpec } from './splits.js';

/** A stretch of a split. */
export interface Stretch {
  readonly sql: string;
  /** The position behind it; undefined where only the last row says it. */
  readonly end?: Json;
}

/** The cuts that lie behind `at`, in the order of the rows, as DuckDB orders them. */
export async function orderCuts(
  session: Session,
  spec: SplitSpec,
  columns: readonly SourceColumn[],
  at: Json,
  cuts: readonly Json[],
): Promise<Json[]> {
  if (spec.by === 'whole' || spec.by === 'cursor' || cuts.length === 0) return [];
  if (spec.by === 'row') {
    const rows = cuts.filter((cut): cut is number => typeof cut === 'number' && cut > (at as number));
    return rows.filter((cut) => spec.to === null || cut < spec.to).sort((a, b) => a - b);
  }
  const key = (cut: Json) => row(keyValues(spec.key, columns, cut));
  const places = cuts.flatMap((cut, i) => (cut === null ? [] : [`SELECT ${i} AS i, ${key(cut)} AS k`]));
  if (places.length === 0) return [];
  const behind = at === null ? '' : `WHERE k > ${key(at)}`;
  const ordered = await session.rows(
    `SELECT i FROM (${places.join(' UNION ALL ')}) ${behind} ORDER BY k`,
    'order cuts',
  );
  return ordered.map((place) => cuts[place['i'] as number]!);
}

/** Stretches from `at` on; each ends at a cut, and the last at the split's end. `cuts` are in order. */
export function stretches(
  name: TableName,
  columns: readonly SourceColumn[],
  schema: StreamSchema,
  spec: SplitSpec,
  at: Json,
  cuts: readonly Json[],
): Stretch[] {
  const selected = schema.fields.map((f) =>
    columnExpression(columns.find((column) => column.name === f.name)!),
  );
  const from = `FROM ${qualified(name)}`;
  if (spec.by === 'whole') return [{ sql: `SELECT ${list(selected)} ${from}` }];
  if (spec.by === 'row') {
    const select = `SELECT ${list([...selected, 'rowid'])} ${from}`;
    return pairs(at as number, [...(cuts as readonly number[]), spec.to]).map(([low, high]) => ({
      sql: `${select} WHERE rowid >= ${low}${high === null ? '' : ` AND rowid < ${high}`}`,
      ...(high !== null && { end: high }),
    }));
  }
  const keys = spec.key.map(quote);
  const texts = keys.map((key) => `CAST(${key} AS VARCHAR)`);
  const select = `SELECT ${list([...selected, ...texts])} ${from}`;
  const order = `ORDER BY ${keys.join(', ')}`;
  const tuple = (position: Json) => keyValues(spec.key, columns, position);
  const low = (position: Json) => (position === null ? [] : [compareKeys(keys, '>', tuple(position))]);
  const high = (position: Json) => (position === null ? [] : [compareKeys(keys, '<=', tuple(position))]);
  return pairs<Json>(at, [...cuts, null]).map(([after, until]) => {
    const conditions = [...low(after), ...high(until)];
    return {
      sql: `${select}${conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''} ${order}`,
      ...(until !== null && { end: until }),
    };
  });
}

/** A position, the texts of a key's values, as SQL. */
function keyValues(key: readonly string[], columns: readonly SourceColumn[], position: Json): string[] {
  const type = (name: string) => columns.find((column) => column.name === name)!.read.sql;
  return (position as string[]).map((text, i) => `CAST(${literal(text)} AS ${type(key[i]!)})`);
}

function list(expressions: readonly string[]): string {
  return expressions.join(', ');
}

function row(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : `(${parts.join(', ')})`;
}

/** `[a, b, c]` from `start`: `[start, a], [a, b], [b, c]`. */
function pairs<T>(start: T, ends: readonly (T | null)[]): [T, T | null][] {
  return ends.map((end, i) => [i === 0 ? start : ends[i - 1]!, end]);
}
