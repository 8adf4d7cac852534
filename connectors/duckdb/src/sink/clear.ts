/** The statement that takes rows away before others replace them. */
import type { Clear, Json, StreamSchema } from '@sluice/sdk';
import { columnType } from '../tables/column-type.js';
import { literal, quote } from '../tables/identifiers.js';

/** Deletes everything, or the rows whose keys lie in a half-open range. */
export function clearSql(table: string, { range }: Clear, schema: StreamSchema): string {
  const bounds = [
    ...(range?.from === undefined ? [] : [`${keyOf(schema)} >= ${bound(range.from, schema)}`]),
    ...(range?.to === undefined ? [] : [`${keyOf(schema)} < ${bound(range.to, schema)}`]),
  ];
  return `DELETE FROM ${table}${bounds.length > 0 ? ` WHERE ${bounds.join(' AND ')}` : ''}`;
}

function keyOf(schema: StreamSchema): string {
  return tuple(schema.key.map(quote));
}

/** A bound is the key's value, or a list of them where the key has several columns. */
function bound(value: Json, schema: StreamSchema): string {
  const values = Array.isArray(value) ? value : [value];
  return tuple(
    schema.key.slice(0, values.length).map((name, i) => {
      const type = schema.fields.find((f) => f.name === name)!.type;
      const given = values[i]!;
      return `CAST(${literal(typeof given === 'string' ? given : JSON.stringify(given))} AS ${columnType(type).sql})`;
    }),
  );
}

function tuple(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : `(${parts.join(', ')})`;
}
