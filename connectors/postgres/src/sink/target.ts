/** Target tables as they are. */
import type { Session } from '../connection/session.js';
import type { TableName } from '../quote.js';
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

const RELATION = `
  SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2`;

const DEFAULTS = `
  SELECT a.attname, a.atthasdef OR a.attidentity <> '' , a.attgenerated <> ''
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped`;

const UNIQUE = `
  SELECT (SELECT json_agg(a.attname ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE k.place <= i.indnkeyatts)
  FROM pg_catalog.pg_index i
  WHERE i.indrelid = $1::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
    AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indexrelid`;

/** The table of that name; undefined when there is none. */
export async function findTarget(
  session: Session,
  { schema, table }: TableName,
): Promise<Target | undefined> {
  const [found] = await session.rows(RELATION, [schema, table]);
  if (found === undefined) return undefined;
  const oid = Number(found[0]);
  const columns = (await columnsOf(session, [oid])).get(oid)!;
  const defaults = new Map(
    (await session.rows(DEFAULTS, [String(oid)])).map(([name, ...rest]) => [name, rest]),
  );
  const unique = await session.rows(UNIQUE, [String(oid)]);
  return {
    schema,
    table,
    oid,
    kind: found[1]!,
    columns: columns.map(({ name, type, nullable }) => {
      const [hasDefault, generated] = defaults.get(name) ?? [];
      return { name, type, nullable, hasDefault: hasDefault === 't', generated: generated === 't' };
    }),
    uniqueKeys: unique.map(([names]) => JSON.parse(names!) as string[]),
  };
}

/** Whether two lists name the same columns, in any order. */
export function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
