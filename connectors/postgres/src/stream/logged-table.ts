/** A table whose changes are to be read from the log, as the catalog has it. */
import type { ReadPlan, StreamRead } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { parseStreamName, qualified } from '../quote.js';
import { findRelation, type Relation, type RelationColumn } from '../source/relation.js';
import type { LiveColumn } from './stream-shape.js';

/** Rows of the log are in binary from this version on. */
const BINARY_LOG = 140000;

/**
 * Of a table or its partitions: which columns tell old rows apart (null: all of them), and whether anything is logged.
 */
const TABLES = `
  SELECT n.nspname, c.relname, c.relreplident, c.relpersistence,
         (SELECT json_agg(a.attname) FROM pg_catalog.pg_index i
          CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE i.indrelid = c.oid AND k.place <= i.indnkeyatts
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = $1::oid AND c.relkind = 'r'
     OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) WHERE isleaf)`;

/** Throws `SLUICE-PG-0038`, `SLUICE-PG-0047`, `SLUICE-PG-0049` where changes cannot be read. */
export async function planLogged(session: Session, reads: readonly StreamRead[]): Promise<ReadPlan[]> {
  await checkServer(session);
  const plans: ReadPlan[] = [];
  for (const read of reads) {
    const relation = await loggedTable(session, read.stream);
    await checkTable(session, relation, read);
    plans.push({ stream: read.stream, notes: [] });
  }
  return plans;
}

export async function loggedTable(session: Session, stream: string): Promise<Relation> {
  const relation = await findRelation(session, parseStreamName(stream));
  if (relation === undefined) throw pgErrors.missing(`${stream} is not there any more`);
  return relation;
}

async function checkServer(session: Session): Promise<void> {
  if (session.version < BINARY_LOG) {
    throw pgErrors.unsupported(
      `mode cdc needs PostgreSQL 14, this is ${Math.floor(session.version / 10_000)}`,
    );
  }
  const [row] = await session.rows("SELECT pg_catalog.current_setting('wal_level')");
  if (row![0] !== 'logical') {
    throw pgErrors.logOff(
      `wal_level is ${row![0]}: ALTER SYSTEM SET wal_level = 'logical', then restart the server`,
    );
  }
}

async function checkTable(
  session: Session,
  relation: Relation,
  { schema, stream }: StreamRead,
): Promise<void> {
  if (relation.kind !== 'r' && relation.kind !== 'p') {
    throw pgErrors.unsupported(`${stream} is no table: the log has no changes of it`);
  }
  const rows = (await session.rows(TABLES, [String(relation.oid)])) as string[][];
  for (const [namespace, table, identity, persistence, columns] of rows) {
    const name = qualified({ schema: namespace!, table: table! });
    if (persistence !== 'p') throw pgErrors.unsupported(`${name} is not logged (UNLOGGED)`);
    if (identity === 'f') continue;
    const known = new Set<string>(columns ? (JSON.parse(columns) as string[]) : []);
    const missing = schema.key.filter((column) => !known.has(column));
    if (known.size > 0 && missing.length === 0) continue;
    const what =
      known.size === 0
        ? 'has no replica identity, so that it could neither update nor delete rows once it is published'
        : `logs of old rows ${[...known].join(', ')}, and not ${missing.join(', ')} of the stream's key`;
    throw pgErrors.identityUnfit(
      `${name} ${what}: ALTER TABLE ${name} REPLICA IDENTITY FULL, or USING INDEX with a unique one of columns that are never null`,
      { details: { stream } },
    );
  }
}

/** What an expression names depends on the column in versions before 15, on its default from then on. */
const GENERATED = `
  SELECT a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
         (SELECT json_agg(b.attname) FROM pg_catalog.pg_attribute b
          WHERE b.attrelid = a.attrelid AND b.attnum <> a.attnum AND EXISTS (
            SELECT FROM pg_catalog.pg_depend p
            WHERE p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = b.attnum
              AND (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                OR p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = a.attrelid AND p.objsubid = a.attnum)))
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::oid AND a.attgenerated <> '' AND NOT a.attisdropped`;

/** The table's columns, with what generated ones are made from. */
export async function liveColumns(
  session: Session,
  oid: number,
  columns: readonly RelationColumn[],
): Promise<LiveColumn[]> {
  const rows = await session.rows(GENERATED, [String(oid)]);
  const generated = new Map(
    rows.map(([name, expression, from]) => [
      name!,
      { expression: expression!, from: JSON.parse(from ?? '[]') as string[] },
    ]),
  );
  return columns.map(({ name, type }) => {
    const made = generated.get(name);
    return { name, type, ...(made !== undefined && { generated: made }) };
  });
}
