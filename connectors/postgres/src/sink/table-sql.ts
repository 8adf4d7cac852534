/** Statements about target and staging tables. */
import { ident, literal, qualified, type TableName } from '../quote.js';
import { mismatch } from './plan-columns.js';
import type { PlannedColumn, TableDetail } from './table-detail.js';
import type { Target, TargetColumn } from './target.js';

function columnSql({ name, type, nullable }: PlannedColumn): string {
  return `${ident(name)} ${type}${nullable ? '' : ' NOT NULL'}`;
}

export function columnNames(columns: readonly string[]): string {
  return columns.map(ident).join(', ');
}

/** A target table, with its key. */
export function createTable(detail: TableDetail): string {
  const parts = detail.columns.map(columnSql);
  if (detail.key.length > 0) parts.push(`PRIMARY KEY (${columnNames(detail.key)})`);
  return `CREATE TABLE ${qualified(detail)} (${parts.join(', ')})`;
}

/** Marks a staging table as a job's, until it is published. */
export function markStaging(staging: TableName, job: string): string {
  return `COMMENT ON TABLE ${qualified(staging)} IS ${literal(stagingMark(job))}`;
}

/** The comment of a job's staging tables. */
export function stagingMark(job: string): string {
  return `Staging of Sluice: ${job}`;
}

/** A staging table: the target's columns without key and indexes, which are built when it is published. */
export function createStaging(detail: TableDetail, staging: TableName): string {
  return `CREATE TABLE ${qualified(staging)} (${detail.columns.map(columnSql).join(', ')})`;
}

/** The server keeps a default of ADD COLUMN for the rows that are there, and writes none of them. */
export function addColumn(table: TableName, column: PlannedColumn): string[] {
  const alter = `ALTER TABLE ${qualified(table)}`;
  const add = `${alter} ADD COLUMN ${columnSql({ ...column, nullable: true })}`;
  const { name, type, fill } = column;
  if (fill === undefined) return [add];
  return [
    `${add} DEFAULT ${literal(fill.text)}::${type}`,
    `${alter} ALTER COLUMN ${ident(name)} DROP DEFAULT`,
  ];
}

/**
 * Statements that make a table fit. Throws `SLUICE-PG-0029` where a column has another type in a table that is not ours.
 */
export function alterations(detail: TableDetail, actual: Target): string[] {
  const alter = `ALTER TABLE ${qualified(actual)}`;
  const statements: string[] = [];
  for (const column of detail.columns) {
    const found = actual.columns.find(({ name }) => name === column.name);
    if (found === undefined) {
      statements.push(...addColumn(actual, column));
      continue;
    }
    if (found.type.name !== column.type) {
      if (!detail.ours) {
        throw mismatch(
          actual,
          `column ${column.name} is ${found.type.name} and was planned as ${column.type}`,
        );
      }
      statements.push(`${alter} ALTER COLUMN ${ident(column.name)} TYPE ${column.type}`);
    }
    if (detail.ours && column.nullable && !found.nullable) {
      statements.push(`${alter} ALTER COLUMN ${ident(column.name)} DROP NOT NULL`);
    }
  }
  if (!detail.ours) return statements;
  const wanted = new Set(detail.columns.map(({ name }) => name));
  const left = actual.columns.filter(({ name }) => !wanted.has(name)).filter(mustBeFilled);
  return [...statements, ...left.map(({ name }) => `${alter} ALTER COLUMN ${ident(name)} DROP NOT NULL`)];
}

/** Whether a row that leaves the column out is refused. */
export function mustBeFilled({ nullable, hasDefault, generated }: TargetColumn): boolean {
  return !nullable && !hasDefault && !generated;
}

export function addKey(table: TableName, key: readonly string[]): string {
  return `ALTER TABLE ${qualified(table)} ADD PRIMARY KEY (${columnNames(key)})`;
}

export function createSchema(schema: string): string {
  return `CREATE SCHEMA ${ident(schema)}`;
}

export function copyInto(table: string, columns: readonly string[]): string {
  return `COPY ${table}${columnList(columns)} FROM STDIN (FORMAT binary)`;
}

/** The columns that are written, in parentheses; nothing for a table that has none. */
export function columnList(columns: readonly string[]): string {
  return columns.length === 0 ? '' : ` (${columnNames(columns)})`;
}
