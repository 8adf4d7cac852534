/** Names and literals in SQL. Every identifier and text that reaches a statement goes through here. */
import { duckdbErrors } from '../errors.js';

/** Names that begin so are tables and columns of the sink itself. */
export const OWN_PREFIX = '_sluice_';

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `"schema"."table"`. */
export function qualified({ schema, table }: TableName): string {
  return `${quote(schema)}.${quote(table)}`;
}

/** `schema.table`, as people and streams call it. */
export function plainName({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}

/** Splits a target's name at its first dot; without one the table lies in `schema`. */
export function parseTarget(target: string, schema: string): TableName {
  const dot = target.indexOf('.');
  const name =
    dot < 0 ? { schema, table: target } : { schema: target.slice(0, dot), table: target.slice(dot + 1) };
  if (name.schema === '' || name.table === '' || target.includes('\0')) {
    throw duckdbErrors.nameRefused(`${JSON.stringify(target)} is no table name`);
  }
  if (isOwn(name.table))
    throw duckdbErrors.nameRefused(`${target}: tables of this prefix belong to the sink`);
  return name;
}

/** Whether a name belongs to the sink. */
export function isOwn(name: string): boolean {
  return folded(name).startsWith(OWN_PREFIX);
}

/** What two names have in common that DuckDB takes for one: they differ by the case of the letters A to Z alone. */
export function folded(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The same in SQL, whose `lower` would change other letters too. */
export function foldedSql(expression: string): string {
  return `translate(${expression}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`;
}
