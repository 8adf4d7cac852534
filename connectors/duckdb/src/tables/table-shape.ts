/** Tables as they are: columns, and what has been hung on them. */

import type { Session } from '../database/session.js';
import { foldedSql, type TableName } from './identifiers.js';

export interface TableColumn {
  readonly name: string;
  /** As DuckDB prints it. */
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly hasComment: boolean;
}

export interface TableShape {
  readonly columns: readonly TableColumn[];
  readonly comment: string | undefined;
  readonly indexes: readonly string[];
  /** Constraints other than NOT NULL, and foreign keys of other tables that lead here. */
  readonly constraints: readonly string[];
}

/** What the sink wrote into the comment of a table that it made. */
export interface Maker {
  readonly job: string;
  readonly stream: string;
  readonly generation: number;
}

const MADE_BY = 'Made by Sluice: ';

export function makerComment(maker: Maker): string {
  return `${MADE_BY}${JSON.stringify(maker)}`;
}

/** Who made a table; undefined when it was not the sink, or somebody changed its comment. */
export function makerOf(shape: TableShape): Maker | undefined {
  return shape.comment === undefined ? undefined : readMaker(shape.comment);
}

/** What {@link makerComment} wrote; undefined for other comments. */
export function readMaker(comment: string): Maker | undefined {
  if (!comment.startsWith(MADE_BY)) return undefined;
  try {
    return JSON.parse(comment.slice(MADE_BY.length)) as Maker;
  } catch {
    return undefined;
  }
}

/** Only the database of the connection, not `temp` or attached ones. */
const HERE = 'database_name = current_database() AND schema_name = $1 AND table_name = $2';

/** A table's shape; undefined when there is none. A view of the name counts as a table without a maker. */
export async function readShape(
  session: Session,
  { schema, table }: TableName,
): Promise<TableShape | undefined> {
  const what = `look at ${schema}.${table}`;
  const values = [schema, table];
  const found = await session.rows(
    `SELECT comment FROM duckdb_tables() WHERE ${caseless(HERE)}`,
    what,
    values,
  );
  if (found.length === 0) return undefined;
  const columns = await session.rows(
    `SELECT column_name, data_type, is_nullable, column_default IS NOT NULL AS has_default, comment IS NOT NULL AS has_comment
     FROM duckdb_columns() WHERE ${caseless(HERE)} ORDER BY column_index`,
    what,
    values,
  );
  const indexes = await session.rows(
    `SELECT index_name FROM duckdb_indexes() WHERE ${caseless(HERE)}`,
    what,
    values,
  );
  const constraints = await session.rows(
    `SELECT constraint_text FROM duckdb_constraints()
     WHERE database_name = current_database() AND constraint_type <> 'NOT NULL'
       AND (${caseless('schema_name = $1 AND table_name = $2')} OR ${caseless('referenced_table = $2')})`,
    what,
    values,
  );
  const [{ comment }] = found as [{ comment: string | null }];
  return {
    columns: columns.map((row) => ({
      name: row['column_name'] as string,
      type: row['data_type'] as string,
      nullable: row['is_nullable'] as boolean,
      hasDefault: row['has_default'] as boolean,
      hasComment: row['has_comment'] as boolean,
    })),
    comment: comment ?? undefined,
    indexes: indexes.map((row) => row['index_name'] as string),
    constraints: constraints.map((row) => row['constraint_text'] as string),
  };
}

function caseless(condition: string): string {
  return condition.replace(/(\w+) = (\$\d)/g, (_, a, b) => `${foldedSql(a)} = ${foldedSql(b)}`);
}

/** Whether a view has the name. */
export async function isView(session: Session, { schema, table }: TableName): Promise<boolean> {
  const found = await session.rows(
    `SELECT 1 AS found FROM duckdb_views() WHERE ${caseless('schema_name = $1 AND view_name = $2')}
       AND database_name = current_database()`,
    `look for a view ${schema}.${table}`,
    [schema, table],
  );
  return found.length > 0;
}

export async function countRows(session: Session, name: string): Promise<bigint> {
  const [row] = await session.rows(`SELECT count(*) AS count FROM ${name}`, `count ${name}`);
  return BigInt(row!['count'] as string);
}

export async function hasRows(session: Session, name: string): Promise<boolean> {
  return (await session.rows(`SELECT 1 AS found FROM ${name} LIMIT 1`, `look into ${name}`)).length > 0;
}

/**
 * Makes DuckDB load the indexes of a table. One that was made by CREATE UNIQUE INDEX and comes from the file is not
 * loaded by DELETE, and a key that is then deleted and inserted in one transaction counts as a duplicate
 * (DuckDB 1.5.6); an INSERT of no rows loads it.
 */
export async function loadIndexes(session: Session, name: string, columns: string): Promise<void> {
  await session.run(
    `INSERT INTO ${name} (${columns}) SELECT ${columns} FROM ${name} WHERE false`,
    `look at ${name}`,
  );
}
