/** From a complete generation to a table that keeps the rows which are the same in both. */
import { ident, qualified, type TableName } from '../quote.js';
import type { TableDetail } from './table-detail.js';
import { columnNames } from './table-sql.js';

/** Statements that delete what the generation lacks, write what differs in it, and add what is new. */
export function mergeFrom(staging: TableName, detail: TableDetail): string[] {
  const [target, from] = [qualified(detail), qualified(staging)];
  const names = detail.columns.map(({ name }) => name);
  const rest = names.filter((name) => !detail.key.includes(name));
  const same = detail.key.map((name) => `t.${ident(name)} = s.${ident(name)}`).join(' AND ');
  const row = (table: string) => `ROW(${rest.map((name) => `${table}.${ident(name)}`).join(', ')})::record`;
  return [
    `DELETE FROM ${target} AS t WHERE NOT EXISTS (SELECT FROM ${from} AS s WHERE ${same})`,
    // By their bytes: values may be equal to the server and yet look different, and some types have no equality.
    ...(rest.length === 0
      ? []
      : [
          `UPDATE ${target} AS t SET ${rest.map((name) => `${ident(name)} = s.${ident(name)}`).join(', ')}
           FROM ${from} AS s WHERE ${same} AND ${row('t')} OPERATOR(pg_catalog.*<>) ${row('s')}`,
        ]),
    `INSERT INTO ${target} (${columnNames(names)}) OVERRIDING SYSTEM VALUE
     SELECT ${columnNames(names)} FROM ${from} AS s WHERE NOT EXISTS (SELECT FROM ${target} AS t WHERE ${same})`,
  ];
}
