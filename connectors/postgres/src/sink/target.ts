/** Target tables as they are. */
import type { Session } from '../connection/session.js';
import { qualified, type TableName, textArray } from '../quote.js';
import { columnsOf } from '../source/relation.js';
import type { NativeType } from '../types/native-type.js';

export interface TargetColumn {
  readonly name: string;
  readonly type: NativeType;
  readonly nullable: boolean;
  /** Whether the server fills it in when it is left out. */
  readonly hasDefault: boolean;
  /** A generated column cannot be written. */
  readonly generated: boolean;
}

export interface Target extends TableName {
  readonly oid: number;
  /** r table, p partitioned table, v view, …; as in pg_class. */
  readonly kind: string;
  readonly columns: readonly TargetColumn[];
  /** Columns of each unique index that ON CONFLICT can use, the primary key first. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

const RELATIONS = `
  SELECT c.oid, c.relkind, n.nspname, c.relname
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name`;

/** Columns that the server fills in when they are left out. */
const FILLED = `
  SELECT a.attrelid, a.attname, a.attgenerated <> ''
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND (a.atthasdef OR a.attidentity <> '')`;

const UNIQUE = `
  SELECT i.indrelid, (SELECT json_agg(a.attname ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE k.place <= i.indnkeyatts)
  FROM pg_catalog.pg_index i
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
    AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indexrelid`;

/** The table of that name; undefined when there is none. */
export async function findTarget(session: Session, name: TableName): Promise<Target | undefined> {
  return (await findTargets(session, [name])).get(qualified(name));
}

/** Those of the tables that are there, by their qualified names; all with the same few queries. */
export async function findTargets(
  session: Session,
  names: readonly TableName[],
): Promise<Map<string, Target>> {
  const found = await session.rows(RELATIONS, [
    textArray(names.map(({ schema }) => schema)),
    textArray(names.map(({ table }) => table)),
  ]);
  if (found.length === 0) return new Map();
  const oids = found.map(([oid]) => Number(oid));
  const numbers = [`{${oids.join(',')}}`];
  const columns = await columnsOf(session, oids);
  const filled = new Map<string, boolean>();
  for (const [oid, name, generated] of await session.rows(FILLED, numbers))
    filled.set(`${oid}.${name}`, generated === 't');
  const keys = new Map<number, string[][]>(oids.map((oid) => [oid, []]));
  for (const [oid, key] of await session.rows(UNIQUE, numbers))
    keys.get(Number(oid))!.push(JSON.parse(key!) as string[]);
  const targets = found.map(([number, kind, schema, table]): Target => {
    const oid = Number(number);
    const own = columns.get(oid)!.map(({ name, type, nullable }): TargetColumn => {
      const generated = filled.get(`${oid}.${name}`);
      return { name, type, nullable, hasDefault: generated !== undefined, generated: generated === true };
    });
    return { schema: schema!, table: table!, oid, kind: kind!, columns: own, uniqueKeys: keys.get(oid)! };
  });
  return new Map(targets.map((target) => [qualified(target), target]));
}

/** Whether two lists name the same columns, in any order. */
export function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
