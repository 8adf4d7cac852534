/** A table whose changes are to be read from the log, as the catalog has it. */
import type { ReadPlan, StreamRead } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { parseStreamName, qualified } from '../quote.js';
import { findRelations, type Relation, type RelationColumn } from '../source/relation.js';
import type { LiveColumn } from './stream-shape.js';

/** Rows of the log are in binary from this version on. */
const BINARY_LOG = 140000;

/**
 * Of tables or their partitions: which columns tell old rows apart (null: all of them), and whether anything is logged.
 */
const TABLES = `
  SELECT wanted.oid, n.nspname, c.relname, c.relreplident, c.relpersistence,
         (SELECT json_agg(a.attname) FROM pg_catalog.pg_index i
          CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE i.indrelid = c.oid AND k.place <= i.indnkeyatts
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
  FROM pg_catalog.unnest($1::oid[]) AS wanted (oid) JOIN pg_catalog.pg_class t ON t.oid = wanted.oid
  CROSS JOIN LATERAL (
    SELECT wanted.oid WHERE t.relkind = 'r'
    UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(wanted.oid::regclass) WHERE isleaf AND t.relkind = 'p'
  ) AS part (oid)
  JOIN pg_catalog.pg_class c ON c.oid = part.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`;

/** Throws `SLUICE-PG-0038`, `SLUICE-PG-0047`, `SLUICE-PG-0049` where changes cannot be read. */
export async function planLogged(session: Session, reads: readonly StreamRead[]): Promise<ReadPlan[]> {
  await checkServer(session);
  const relations = await loggedTables(
    session,
    reads.map(({ stream }) => stream),
  );
  const numbers = [...relations.values()].map(({ oid }) => oid);
  const parts = new Map<string, string[][]>();
  for (const [oid, ...part] of (await session.rows(TABLES, [`{${numbers.join(',')}}`])) as string[][])
    parts.set(oid!, [...(parts.get(oid!) ?? []), part]);
  return reads.map((read) => {
    const relation = relations.get(read.stream)!;
    checkTable(relation, parts.get(String(relation.oid)) ?? [], read);
    return { stream: read.stream, notes: [] };
  });
}

/** The tables of streams, by stream. Throws `SLUICE-PG-0019` where one is not there. */
export async function loggedTables(
  session: Session,
  streams: readonly string[],
): Promise<Map<string, Relation>> {
  const relations = await findRelations(
    session,
    streams.map((stream) => parseStreamName(stream)),
  );
  const missing = streams.find((stream) => !relations.has(stream));
  if (missing !== undefined) {
    throw pgErrors.missing(`${missing} is not there any more`, { details: { stream: missing } });
  }
  return relations;
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

function checkTable(
  relation: Relation,
  parts: readonly (readonly string[])[],
  { schema, stream }: StreamRead,
): void {
  if (relation.kind !== 'r' && relation.kind !== 'p') {
    throw pgErrors.unsupported(`${stream} is no table: the log has no changes of it`, {
      details: { stream },
    });
  }
  if (relation.rowSecurity) {
    throw pgErrors.unsupported(
      `row security hides rows of ${stream} from the copy, and not from the log: ALTER ROLE … BYPASSRLS`,
      { details: { stream } },
    );
  }
  for (const [namespace, table, identity, persistence, columns] of parts) {
    const name = qualified({ schema: namespace!, table: table! });
    if (persistence !== 'p')
      throw pgErrors.unsupported(`${name} is not logged (UNLOGGED)`, { details: { stream } });
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
  SELECT a.attrelid, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
         (SELECT json_agg(b.attname) FROM pg_catalog.pg_attribute b
          WHERE b.attrelid = a.attrelid AND b.attnum <> a.attnum AND EXISTS (
            SELECT FROM pg_catalog.pg_depend p
            WHERE p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = b.attnum
              AND (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                OR p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = a.attrelid AND p.objsubid = a.attnum)))
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attgenerated <> '' AND NOT a.attisdropped`;

/** The columns of tables, with what generated ones are made from, by the table's number. */
export async function liveColumns(
  session: Session,
  tables: ReadonlyMap<number, readonly RelationColumn[]>,
): Promise<Map<number, LiveColumn[]>> {
  const rows = await session.rows(GENERATED, [`{${[...tables.keys()].join(',')}}`]);
  const generated = new Map(
    rows.map(([oid, name, expression, from]) => [
      `${oid}.${name}`,
      { expression: expression!, from: JSON.parse(from ?? '[]') as string[] },
    ]),
  );
  return new Map(
    [...tables].map(([oid, columns]) => [
      oid,
      columns.map(({ name, type }): LiveColumn => {
        const made = generated.get(`${oid}.${name}`);
        return { name, type, ...(made !== undefined && { generated: made }) };
      }),
    ]),
  );
}
