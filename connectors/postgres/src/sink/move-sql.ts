/** A row that moves to another key and takes along what it does not bring. */
import { type Batch, type Row, UNCHANGED } from '@sluice/sdk';
import { ident, literal, qualified, type TableName } from '../quote.js';
import { valueText } from '../types/value-text.js';
import type { TableDetail } from './table-detail.js';

/**
 * The statements for the one row of a batch. Where the new key is there already, the copy that came before the change
 * met the row under both.
 */
export function moveRow(destination: TableName, detail: TableDetail, batch: Batch): string[] {
  const table = qualified(destination);
  const [row, old] = [batch.rows()[0]!, batch.before!.rows()[0]!];
  const equal = (of: Row, names: readonly string[]) =>
    names.map((name) => `${ident(name)} = ${constant(batch, detail, of, name)}`);
  const key = (of: Row) => equal(of, detail.key).join(' AND ');
  const present = detail.columns.map(({ name }) => name).filter((name) => row[name] !== UNCHANGED);
  return [
    `DELETE FROM ${table} WHERE ${key(row)} AND NOT (${key(old)}) AND EXISTS (SELECT FROM ${table} WHERE ${key(old)})`,
    `UPDATE ${table} SET ${equal(row, present).join(', ')} WHERE ${key(old)}`,
  ];
}

function constant({ schema }: Batch, { columns }: TableDetail, row: Row, name: string): string {
  const { type } = schema.fields.find((f) => f.name === name)!;
  const column = columns.find((each) => each.name === name)!;
  const value = row[name]!;
  return value === null ? 'NULL' : `${literal(valueText(type, value))}::${column.type}`;
}
