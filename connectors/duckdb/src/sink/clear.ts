/** The statement that takes rows away before others replace them, or marks them. */
import type { Clear, Json, StreamSchema } from '@sluice/sdk';
import { columnType } from '../tables/column-type.js';
import { compareKeys } from '../tables/compare-keys.js';
import { literal, quote } from '../tables/identifiers.js';

/** Deletes everything, or the rows whose keys lie in a half-open range; or marks those that are not marked yet. */
export function clearSql(table: string, { range, marks }: Clear, schema: StreamSchema): string {
  if (marks !== undefined) {
    const column = quote(marks.column);
    return `UPDATE ${table} SET ${column} = make_timestamptz(${marks.at}) WHERE ${column} IS NULL`;
  }
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
