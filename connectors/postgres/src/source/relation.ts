/** Tables and views as the catalog has them. */
import type { Session } from '../connection/session.js';
import { streamName, type TableName, textArray } from '../quote.js';
import { type NativeType, nativeType } from '../types/native-type.js';
import { TypeCatalog } from '../types/type-catalog.js';

/** r table, p partitioned table, v view, m materialised view, f foreign table. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'f';

export interface Relation extends TableName {
  readonly oid: number;
  readonly kind: RelationKind;
  readonly isPartition: boolean;
  /** Estimates of the last VACUUM or ANALYZE; undefined before the first. */
  readonly rows: number | undefined;
  readonly bytes: number;
  /** Whether the user may read the table, some of its columns, or nothing. */
  readonly readable: 'all' | 'columns' | 'nothing';
  /** Whether policies hide rows of the table from the user. */
  readonly rowSecurity: boolean;
  /** Whether a materialised view has been filled; others always are. */
  readonly isPopulated: boolean;
  /** Whether other tables inherit from it, which are not its partitions. */
  readonly isParent: boolean;
  /** Whether the log has rows whole as they were before each change. */
  readonly logsBefore: boolean;
  /** The number of the column that came last, which may be gone: those that are still to come have greater ones. */
  readonly lastColumn: number;
}

export interface RelationColumn {
  readonly name: string;
  readonly type: NativeType;
  readonly nullable: boolean;
  readonly readable: boolean;
  /** Whether large values lie outside of the row: the log leaves them out while they stay the same. */
  readonly outOfLine: boolean;
  /** Whether rows that were there before the column may have values in it: it has a default, or had one then. */
  readonly filled: boolean;
}

const RELATIONS = `
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.reltuples, c.relpages,
         CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'nothing'
              WHEN pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'all'
              WHEN pg_catalog.has_any_column_privilege(c.oid, 'SELECT') THEN 'columns'
              ELSE 'nothing' END,
         c.relrowsecurity AND pg_catalog.row_security_active(c.oid),
         pg_catalog.current_setting('block_size'),
         CASE c.relkind WHEN 'p' THEN NOT EXISTS (
           SELECT FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class leaf ON leaf.oid = t.relid
           WHERE t.isleaf AND leaf.relreplident <> 'f')
         ELSE c.relreplident = 'f' END,
         c.relispopulated,
         c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid),
         c.relnatts
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND c.relname !~ '^_sluice_'`;

/** Every table and view that is not the system's or ours, by schema and name. */
export async function listRelations(session: Session): Promise<Relation[]> {
  return (await session.rows(`${RELATIONS} ORDER BY n.nspname, c.relname`)).map(relation);
}

/** One relation by name; undefined when there is none. */
export async function findRelation(session: Session, name: TableName): Promise<Relation | undefined> {
  return (await findRelations(session, [name])).get(streamName(name));
}

/** Those of the relations that are there, by the names of their streams; all with one query. */
export async function findRelations(
  session: Session,
  names: readonly TableName[],
): Promise<Map<string, Relation>> {
  const rows = await session.rows(
    `${RELATIONS} AND (n.nspname, c.relname) IN (
       SELECT * FROM ROWS FROM (pg_catalog.unnest($1::name[]), pg_catalog.unnest($2::name[])) AS wanted)`,
    [textArray(names.map(({ schema }) => schema)), textArray(names.map(({ table }) => table))],
  );
  const relations = rows.map(relation);
  return new Map(relations.map((each) => [streamName(each), each]));
}

function relation(row: readonly (string | null)[]): Relation {
  const [oid, schema, table, kind, isPartition, rows, pages, readable, ...rest] = row as string[];
  const [rowSecurity, blockSize, logsBefore, isPopulated, isParent, lastColumn] = rest;
  return {
    oid: Number(oid),
    schema: schema!,
    table: table!,
    kind: kind as RelationKind,
    isPartition: isPartition === 't',
    rows: Number(rows) < 0 ? undefined : Number(rows),
    bytes: Number(pages) * Number(blockSize),
    readable: readable as Relation['readable'],
    rowSecurity: rowSecurity === 't',
    logsBefore: logsBefore === 't',
    isPopulated: isPopulated === 't',
    isParent: isParent === 't',
    lastColumn: Number(lastColumn),
  };
}

/**
 * What is no larger than the pointer that would stand for it (24 bytes) stays in the row: numeric of 24 digits, texts of
 * 4 characters.
 */
const COLUMNS = `
  SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
         a.attnotnull, pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
         a.attstorage <> 'p' AND NOT CASE
           WHEN a.atttypid = 1700 THEN a.atttypmod >= 0 AND (a.atttypmod - 4) >> 16 <= 24
           WHEN a.atttypid IN (1042, 1043) THEN a.atttypmod BETWEEN 5 AND 8
           ELSE false END,
         a.atthasmissing OR a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY ($1::oid[])
  ORDER BY a.attrelid, a.attnum`;

/** Relations whose columns are looked up together: those of more at once would only take memory. */
const RELATIONS_AT_ONCE = 500;

/** The columns of relations in their order, by the relation's number. */
export async function columnsOf(
  session: Session,
  oids: readonly number[],
): Promise<Map<number, RelationColumn[]>> {
  const columns = new Map<number, RelationColumn[]>(oids.map((oid) => [oid, []]));
  const catalog = new TypeCatalog(session);
  // Many columns share few types.
  const types = new Map<string, NativeType>();
  for (let i = 0; i < oids.length; i += RELATIONS_AT_ONCE) {
    const part = oids.slice(i, i + RELATIONS_AT_ONCE).join(',');
    const rows = (await session.rows(COLUMNS, [`{${part}}`])) as string[][];
    await catalog.load(rows.map((row) => Number(row[2])));
    for (const [relation, name, oid, modifier, formatted, notNull, readable, outOfLine, filled] of rows) {
      const place = `${oid} ${modifier}`;
      const type =
        types.get(place) ?? nativeType(formatted!, Number(oid), Number(modifier), catalog, session.version);
      types.set(place, type);
      columns.get(Number(relation))!.push({
        name: name!,
        type,
        nullable: notNull !== 't',
        readable: readable === 't',
        outOfLine: outOfLine === 't',
        filled: filled === 't',
      });
    }
  }
  return columns;
}

/**
 * Primary key, or else the smallest unique index that holds at once, for all rows, on columns that are never null.
 * Names of the key columns in the index's order.
 */
const KEYS = `
  SELECT DISTINCT ON (i.indrelid) i.indrelid,
         (SELECT json_agg(a.attname ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE k.place <= i.indnkeyatts)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND NOT EXISTS (
      SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
      WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
  ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, x.relname`;

export async function keysOf(session: Session, oids: readonly number[]): Promise<Map<number, string[]>> {
  const rows = await session.rows(KEYS, [`{${oids.join(',')}}`]);
  return new Map(rows.map(([oid, names]) => [Number(oid), JSON.parse(names!) as string[]]));
}
