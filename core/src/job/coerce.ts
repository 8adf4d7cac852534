/** Texts that came from `${…}` become what the schema wants in their place: a number, true or false. */
import type { z } from 'zod';
import type { Path } from './path-text.js';
import { isPlainObject } from './resolve-values.js';
import { alternatives, kindOf, membersAt } from './schema-walk.js';

/** A copy of the value in which texts at `isResolved` places have the type that one of the schemas wants there. */
export function coerce(
  schemas: readonly z.ZodType[],
  value: unknown,
  path: Path,
  isResolved: (path: Path) => boolean,
): unknown {
  if (typeof value === 'string') return isResolved(path) ? coerceText(schemas, value) : value;
  const member = (key: PropertyKey, each: unknown) =>
    coerce(
      schemas.flatMap((schema) => membersAt(schema, key)),
      each,
      [...path, key],
      isResolved,
    );
  if (Array.isArray(value)) return value.map((each, i) => member(i, each));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, member(key, each)]));
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function coerceText(schemas: readonly z.ZodType[], text: string): unknown {
  const wanted = schemas.flatMap(alternatives);
  const kinds = new Set(wanted.map(kindOf));
  const bare = text.trim();
  // Where the text itself will do, it stays; only then are the other readings tried.
  if (wanted.some((schema) => schema.safeParse(text).success)) return text;
  if ((kinds.has('number') || kinds.has('literal')) && NUMBER.test(bare)) return Number(bare);
  if (kinds.has('bigint') && /^[+-]?\d+$/.test(bare)) return BigInt(bare);
  if ((kinds.has('boolean') || kinds.has('literal')) && /^(true|false)$/i.test(bare))
    return bare.toLowerCase() === 'true';
  return text;
}
