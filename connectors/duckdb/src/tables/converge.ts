/** From a table as it is to the table that is wanted: the statements, or why there are none. */

import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { folded, literal, plainName, qualified, quote, type TableName } from './identifiers.js';
import { type Maker, makerComment, makerOf, readShape, type TableShape } from './table-shape.js';
import { createTableSql, type WantedColumn } from './target.js';
import { holds } from './type-holds.js';

/** Types as DuckDB prints them, which differs from how they are written in names of members. */
export async function printedTypes(session: Session, types: readonly string[]): Promise<Map<string, string>> {
  const distinct = [...new Set(types)];
  if (distinct.length === 0) return new Map();
  const list = distinct.map((type, i) => `typeof(CAST(NULL AS ${type})) AS t${i}`).join(', ');
  const [row] = await session.rows(`SELECT ${list}`, 'print types');
  return new Map(distinct.map((type, i) => [type, row![`t${i}`] as string]));
}

/** Statements that make a missing table. */
export function createStatements(name: TableName, columns: readonly WantedColumn[], maker: Maker): string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quote(name.schema)}`,
    createTableSql(name, columns),
    `COMMENT ON TABLE ${qualified(name)} IS ${literal(makerComment(maker))}`,
  ];
}

/**
 * Statements that make a table fit. A table that the sink made gets new columns, wider types and fewer NOT NULLs;
 * in others, columns may be added too, and whatever does not fit throws `SLUICE-DUCKDB-0021`.
 */
export async function alterStatements(
  session: Session,
  name: TableName,
  shape: TableShape,
  columns: readonly WantedColumn[],
): Promise<string[]> {
  const ours = makerOf(shape) !== undefined;
  const printed = await printedTypes(
    session,
    columns.map((column) => column.type),
  );
  const alter = `ALTER TABLE ${qualified(name)}`;
  const statements: string[] = [];
  for (const wanted of columns) {
    const actual = shape.columns.find((column) => folded(column.name) === folded(wanted.name));
    if (actual === undefined) {
      statements.push(`${alter} ADD COLUMN ${quote(wanted.name)} ${wanted.type}`);
      continue;
    }
    const type = printed.get(wanted.type)!;
    if (!holds(actual.type, type)) {
      if (!ours || !holds(type, actual.type)) throw differs(name, wanted.name, actual.type, type);
      statements.push(`${alter} ALTER COLUMN ${quote(actual.name)} SET DATA TYPE ${wanted.type}`);
    }
    if (ours && wanted.nullable && !actual.nullable) {
      statements.push(`${alter} ALTER COLUMN ${quote(actual.name)} DROP NOT NULL`);
    }
  }
  statements.push(...extraColumns(name, shape, columns, ours));
  return statements;
}

/** Columns that no row will fill must be able to stay empty. */
function extraColumns(
  name: TableName,
  shape: TableShape,
  columns: readonly WantedColumn[],
  ours: boolean,
): string[] {
  const wanted = new Set(columns.map((column) => folded(column.name)));
  const stuck = shape.columns.filter((c) => !wanted.has(folded(c.name)) && !c.nullable && !c.hasDefault);
  if (stuck.length > 0 && !ours) {
    throw duckdbErrors.tableDiffers(
      `${plainName(name)}: column ${stuck[0]!.name} is NOT NULL and gets no values`,
    );
  }
  return stuck.map((c) => `ALTER TABLE ${qualified(name)} ALTER COLUMN ${quote(c.name)} DROP NOT NULL`);
}

function differs(name: TableName, column: string, actual: string, wanted: string) {
  return duckdbErrors.tableDiffers(
    `${plainName(name)}: column ${column} is ${actual}, the rows need ${wanted}`,
    {
      details: { table: plainName(name), column },
    },
  );
}

/** Makes a table, or makes it fit. */
export async function ensureTable(
  session: Session,
  name: TableName,
  columns: readonly WantedColumn[],
  maker: Maker,
): Promise<void> {
  const shape = await readShape(session, name);
  const statements =
    shape === undefined
      ? createStatements(name, columns, maker)
      : await alterStatements(session, name, shape, columns);
  for (const sql of statements) await session.run(sql, `make ${plainName(name)} fit`);
}
