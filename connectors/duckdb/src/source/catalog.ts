/** The tables and views of a database as streams. */
import {
  type Catalog,
  type CatalogStream,
  field,
  formatType,
  matchesPattern,
  streamSchema,
  type TypeVerdict,
} from '@sluice/sdk';
import type { Database } from '../database/database.js';
import { statementFailed } from '../database/failure.js';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { isOwn, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { type ReadableType, readableType } from './readable-type.js';

/** A column as the query of a stream yields it. */
export interface SourceColumn {
  readonly name: string;
  readonly read: ReadableType;
}

export interface SourceTable extends TableName {
  readonly view: boolean;
  /** Rows including deleted ones, which the catalog knows without counting. */
  readonly size: number;
}

/** Tables and views that patterns match, without the sink's own. */
export async function listTables(
  session: Session,
  patterns: readonly string[] | undefined,
): Promise<SourceTable[]> {
  const rows = await session.rows(
    `SELECT schema_name, table_name AS name, false AS view, estimated_size AS size FROM duckdb_tables()
     WHERE database_name = current_database() AND NOT internal AND NOT temporary
     UNION ALL
     SELECT schema_name, view_name, true, 0 FROM duckdb_views()
     WHERE database_name = current_database() AND NOT internal AND NOT temporary
     ORDER BY ALL`,
    'list tables',
  );
  return rows
    .map((row) => ({
      schema: row['schema_name'] as string,
      table: row['name'] as string,
      view: row['view'] as boolean,
      size: Number(row['size']),
    }))
    .filter((name) => !isOwn(name.table))
    .filter((name) => patterns?.some((pattern) => matchesPattern(pattern, plainName(name))) ?? true);
}

/** The columns of a table as they are now. Throws `SLUICE-DUCKDB-0027` for a view that no longer works. */
export async function readColumns(
  database: Database,
  session: Session,
  name: TableName,
): Promise<SourceColumn[]> {
  try {
    const statement = await session.connection.prepare(`SELECT * FROM ${qualified(name)}`);
    const columns = Array.from({ length: statement.columnCount }, (_, i) => ({
      name: statement.columnName(i),
      read: readableType(statement.columnType(i), database.driver),
    }));
    statement.destroySync();
    return columns;
  } catch (error) {
    const { message } = statementFailed(error, plainName(name));
    throw duckdbErrors.streamUnreadable(message, { cause: error, details: { stream: plainName(name) } });
  }
}

export async function readCatalog(
  database: Database,
  patterns: readonly string[] | undefined,
): Promise<Catalog> {
  const session = database.control;
  const streams: CatalogStream[] = [];
  for (const table of await listTables(session, patterns))
    streams.push(await describe(database, session, table));
  return { streams };
}

async function describe(database: Database, session: Session, table: SourceTable): Promise<CatalogStream> {
  const stream = plainName(table);
  let columns: SourceColumn[];
  try {
    columns = await readColumns(database, session, table);
  } catch (error) {
    const problem = error as ReturnType<typeof duckdbErrors.streamUnreadable>;
    return { schema: streamSchema(stream, []), types: [], problem };
  }
  const required = await requiredColumns(session, table);
  const fields = columns.map(({ name, read }) =>
    field(name, read.type, { nullable: !required.has(name), native: read.sql }),
  );
  const types: TypeVerdict[] = columns.map(({ name, read }) => ({
    column: name,
    from: read.sql,
    to: formatType(read.type),
    verdict: read.verdict,
    ...(read.note !== undefined && { note: read.note }),
  }));
  return {
    schema: streamSchema(stream, fields, await primaryKey(session, table)),
    types,
    ...(!table.view && { estimatedRows: table.size }),
    ...(table.view && { notes: ['a view: read as one part'] }),
  };
}

async function requiredColumns(session: Session, { schema, table }: TableName): Promise<Set<string>> {
  const rows = await session.rows(
    `SELECT column_name FROM duckdb_columns() WHERE database_name = current_database()
       AND schema_name = $1 AND table_name = $2 AND NOT is_nullable`,
    'read columns',
    [schema, table],
  );
  return new Set(rows.map((row) => row['column_name'] as string));
}

export async function primaryKey(session: Session, { schema, table }: TableName): Promise<string[]> {
  const rows = await session.rows(
    `SELECT unnest(constraint_column_names) AS name FROM duckdb_constraints()
     WHERE database_name = current_database() AND schema_name = $1 AND table_name = $2
       AND constraint_type = 'PRIMARY KEY'`,
    'read the key',
    [schema, table],
  );
  return rows.map((row) => row['name'] as string);
}

/** The expression of a column in a query. */
export function columnExpression({ name, read }: SourceColumn): string {
  return read.cast ? `CAST(${quote(name)} AS ${read.sql}) AS ${quote(name)}` : quote(name);
}
