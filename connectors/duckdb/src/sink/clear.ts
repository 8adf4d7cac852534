/** The statements that take rows away before others replace them, or mark them. */
import type { Clear, Json, StreamSchema } from '@sluice/sdk';
import { columnType } from '../tables/column-type.js';
import { compareKeys } from '../tables/compare-keys.js';
import { literal, quote } from '../tables/identifiers.js';

/** Marks the rows that are not marked yet; those that would have lasted for no time go. */
export function markSql(table: string, { column, at, since }: NonNullable<Clear['marks']>): string[] {
  const time = `make_timestamptz(${at})`;
  const living = `WHERE ${quote(column)} IS NULL`;
  return [
    ...(since === undefined ? [] : [`DELETE FROM ${table} ${living} AND ${quote(since)} >= ${time}`]),
    `UPDATE ${table} SET ${quote(column)} = ${time} ${living}`,
  ];
}

/** Deletes everything, or the rows whose keys lie in a half-open range. */
export function clearSql(table: string, { range }: Clear, schema: StreamSchema): string {
  const keys = schema.key.map(quote);
  const bounds = [
    ...(range?.from === undefined ? [] : [compareKeys(keys, '>=', bound(range.from, schema))]),
    ...(range?.to === undefined ? [] : [compareKeys(keys, '<', bound(range.to, schema))]),
  ];
  return `DELETE FROM ${table}${bounds.length > 0 ? ` WHERE ${bounds.join(' AND ')}` : ''}`;
}

/** A bound is the key's value, or a list of them where the key has several columns. */
function bound(value: Json, schema: StreamSchema): string[] {
  const values = Array.isArray(value) ? value : [value];
  return schema.key.slice(0, values.length).map((name, i) => {
    const type = schema.fields.find((f) => f.name === name)!.type;
    const given = values[i]!;
    return `CAST(${literal(typeof given === 'string' ? given : JSON.stringify(given))} AS ${columnType(type).sql})`;
  });
}
