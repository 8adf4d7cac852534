/** From the writer's temporary table to the table itself. */

import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { ident, qualified, type TableName } from '../quote.js';
import { OP_COLUMN, ORDER_COLUMN } from './op-column.js';
import type { TableDetail } from './table-detail.js';
import { columnNames } from './table-sql.js';

/** A column's value, cast where the temporary table holds it as text. */
function values({ columns }: TableDetail): string {
  return columns
    .map(({ name, type, viaText }) => (viaText ? `${ident(name)}::${type}` : ident(name)))
    .join(', ');
}

/** All rows, as new ones. */
export function insertRows(from: string, destination: TableName, detail: TableDetail): string {
  const names = columnNames(detail.columns.map((column) => column.name));
  return `INSERT INTO ${qualified(destination)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values(detail)} FROM ${from}`;
}

export interface Upsert {
  readonly from: string;
  readonly destination: TableName;
  readonly detail: TableDetail;
  /** Whether some of the rows are deletes. */
  readonly deletes: boolean;
}

/** ON CONFLICT DO UPDATE met one key twice. */
const SAME_ROW_TWICE = '21000';

/**
 * Writes the rows by their key; of several with one key the last counts. Most epochs have each key once, and then
 * need no sort: that is tried first, and the server says when it was wrong.
 */
export async function applyRows(session: Session, upsert: Upsert, doing: string): Promise<void> {
  if (!upsert.deletes) {
    try {
      await session.query(
        `SAVEPOINT sluice; ${upsertFrom(upsert, upsert.from)}; RELEASE sluice`,
        undefined,
        doing,
      );
      return;
    } catch (error) {
      if (!hasState(error, SAME_ROW_TWICE)) throw error;
      await session.query('ROLLBACK TO sluice');
    }
  }
  await session.query(upsertLast(upsert), undefined, doing);
}

function conflictClause({ columns, key }: TableDetail): string {
  const rest = columns.map((column) => column.name).filter((name) => !key.includes(name));
  const target = `ON CONFLICT (${columnNames(key)})`;
  if (rest.length === 0) return `${target} DO NOTHING`;
  return `${target} DO UPDATE SET ${rest.map((name) => `${ident(name)} = excluded.${ident(name)}`).join(', ')}`;
}

function upsertFrom({ destination, detail }: Upsert, from: string, where = ''): string {
  return `${insertRows(from, destination, detail)}${where} ${conflictClause(detail)}`;
}

/** The last row of each key: deletes and the rest are different keys, so that one statement can do both. */
function upsertLast(upsert: Upsert): string {
  const { from, destination, detail } = upsert;
  const key = columnNames(detail.key);
  const types = new Map(detail.columns.map((column) => [column.name, column]));
  const same = detail.key.map((name) => {
    const { type, viaText } = types.get(name)!;
    return `t.${ident(name)} = l.${ident(name)}${viaText ? `::${type}` : ''}`;
  });
  const last = `SELECT DISTINCT ON (${key}) * FROM ${from} ORDER BY ${key}, ${ORDER_COLUMN} DESC`;
  return `WITH last AS MATERIALIZED (${last}),
    gone AS (DELETE FROM ${qualified(destination)} t USING last l WHERE l.${OP_COLUMN} = 1 AND ${same.join(' AND ')})
    ${upsertFrom(upsert, 'last', ` WHERE ${OP_COLUMN} = 0`)}`;
}
