/** Types of a database by their names. */
import type { Session } from '../connection/session.js';
import { literal } from '../quote.js';
import { type NativeType, nativeType } from './native-type.js';
import { TypeCatalog } from './type-catalog.js';

/** A query yields 1,664 columns at most. */
const NAMES_AT_ONCE = 1000;

/**
 * The types that the names stand for, written as format_type does (`numeric(12,2)`); names that mean no type here
 * are left out. The server parses the names: it describes a query that selects a null of each.
 */
export async function resolveTypes(
  session: Session,
  names: Iterable<string>,
): Promise<Map<string, NativeType>> {
  const wanted = [...new Set(names)];
  const found = new Map<string, NativeType>();
  for (let i = 0; i < wanted.length; i += NAMES_AT_ONCE) {
    for (const [name, type] of await resolveSome(session, wanted.slice(i, i + NAMES_AT_ONCE)))
      found.set(name, type);
  }
  return found;
}

async function resolveSome(session: Session, names: readonly string[]): Promise<Map<string, NativeType>> {
  const known = await knownTypes(session, names);
  if (known.length === 0) return new Map();
  const { columns } = await session.query(
    `SELECT ${known.map((name) => `NULL::${name}`).join(', ')} LIMIT 0`,
  );
  const catalog = new TypeCatalog(session);
  await catalog.load(columns.map((column) => column.oid));
  return new Map(
    columns.map(({ oid, modifier }, i) => [
      known[i]!,
      nativeType(known[i]!, oid, modifier, catalog, session.version),
    ]),
  );
}

/** A type's name and nothing else: it becomes part of a statement. */
const TYPE_NAME =
  /^(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")(?:[ .](?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+"))*(?:\(\d+(?:,-?\d+)?\))?(?: with(?:out)? time zone)?(?:\[\])*$/u;

async function knownTypes(session: Session, names: readonly string[]): Promise<string[]> {
  const candidates = names.filter((name) => TYPE_NAME.test(name));
  if (candidates.length === 0) return [];
  const tests = candidates.map((name) => `pg_catalog.to_regtype(${literal(name)}) IS NOT NULL`);
  const [row] = await session.rows(`SELECT ${tests.join(', ')}`);
  return candidates.filter((_, i) => row![i] === 't');
}
