/** Statements about target and staging tables. */
import { ident, qualified, type TableName } from '../quote.js';
import type { PlannedColumn, TableDetail } from './table-detail.js';

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

/** A staging table: the target's columns without key and indexes, which are built when it is published. */
export function createStaging(detail: TableDetail, staging: TableName): string {
  return `CREATE TABLE ${qualified(staging)} (${detail.columns.map(columnSql).join(', ')})`;
}

export function addColumn(table: TableName, column: PlannedColumn): string {
  return `ALTER TABLE ${qualified(table)} ADD COLUMN ${columnSql({ ...column, nullable: true })}`;
}

export function addKey(table: TableName, key: readonly string[]): string {
  return `ALTER TABLE ${qualified(table)} ADD PRIMARY KEY (${columnNames(key)})`;
}

export function createSchema(schema: string): string {
  return `CREATE SCHEMA ${ident(schema)}`;
}

export function copyInto(table: string, columns: readonly string[]): string {
  return `COPY ${table} (${columnNames(columns)}) FROM STDIN (FORMAT binary)`;
}
