/** From the writer's temporary table to the table itself. */

import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { ident, qualified, type TableName } from '../quote.js';
import { ABSENT_COLUMN, OP_COLUMN, ORDER_COLUMN } from './op-column.js';
import type { PlannedColumn, TableDetail } from './table-detail.js';
import { columnNames } from './table-sql.js';

/** A column's value in a row of the temporary table, which may hold it as text. */
function valueIn(row: string, { name, type, viaText }: PlannedColumn): string {
  return `${row}${ident(name)}${viaText ? `::${type}` : ''}`;
}

/** What begins the insertion of all columns; `row` is what their names stand behind. */
export function insertColumns(destination: TableName, { columns }: TableDetail, row = ''): string {
  const names = columnNames(columns.map((column) => column.name));
  const values = columns.map((column) => valueIn(row, column)).join(', ');
  return `INSERT INTO ${qualified(destination)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values}`;
}

/** All rows, as new ones. */
export function insertRows(from: string, destination: TableName, detail: TableDetail): string {
  return `${insertColumns(destination, detail)} FROM ${from}`;
}

/** That a row `t` of the table has the key of another. */
export function sameKey({ columns, key }: TableDetail, row: string): string {
  const keys = columns.filter(({ name }) => key.includes(name));
  return keys.map((column) => `t.${ident(column.name)} = ${valueIn(row, column)}`).join(' AND ');
}

/** What a row that leaves columns as they are makes of `t`; undefined where the key is all there is. */
export function partialSet({ columns, key }: TableDetail, row: string): string | undefined {
  const sets = columns.flatMap((column, i) => {
    const name = ident(column.name);
    if (key.includes(column.name)) return [];
    const kept = `get_bit(${row}${ABSENT_COLUMN}, ${i}) = 1`;
    return `${name} = CASE WHEN ${kept} THEN t.${name} ELSE ${valueIn(row, column)} END`;
  });
  return sets.length === 0 ? undefined : sets.join(', ');
}

/** What waits to be written: whole rows; also deletes; also rows that leave columns as they are. */
export const PENDING = ['nothing', 'rows', 'changes', 'partials'] as const;
export type Pending = (typeof PENDING)[number];

export interface Upsert {
  readonly from: string;
  readonly destination: TableName;
  readonly detail: TableDetail;
  readonly pending: Pending;
}

/** ON CONFLICT DO UPDATE met one key twice. */
const SAME_ROW_TWICE = '21000';

/**
 * Writes the rows by their key; of several with one key the last counts. Most epochs have each key once, and then
 * need no sort: that is tried first, and the server says when it was wrong.
 */
export async function applyRows(session: Session, upsert: Upsert, doing: string): Promise<void> {
  if (upsert.pending === 'partials') {
    await applyWaves(session, upsert, doing);
    return;
  }
  if (upsert.pending === 'rows') {
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

const WAVES = 'pg_temp._sluice_waves';
const WAVE = '_sluice_wave';
/** From this many waves on, each is looked up. */
const MANY_WAVES = 8;

/**
 * Rows that leave columns as they are come behind all that was said of their key before. So the rows of each key are
 * written in waves, of which each begins with such a row; within one, the last row of a key counts.
 */
async function applyWaves(session: Session, upsert: Upsert, doing: string): Promise<void> {
  const key = columnNames(upsert.detail.key);
  await session.query(
    `CREATE TEMPORARY TABLE _sluice_waves ON COMMIT DROP AS
     SELECT *, count(${ABSENT_COLUMN}) OVER (PARTITION BY ${key} ORDER BY ${ORDER_COLUMN}) AS ${WAVE} FROM ${upsert.from}`,
    undefined,
    doing,
  );
  const [row] = await session.rows(`SELECT max(${WAVE}) FROM ${WAVES}`);
  const last = Number(row![0]);
  if (last >= MANY_WAVES) await session.query(`CREATE INDEX ON ${WAVES} (${WAVE}); ANALYZE ${WAVES}`);
  for (let wave = 0; wave <= last; wave++) {
    const from = `(SELECT * FROM ${WAVES} WHERE ${WAVE} = ${wave}) AS w`;
    await session.query(upsertLast({ ...upsert, from }), undefined, doing);
  }
  await session.query(`DROP TABLE ${WAVES}`);
}

export function conflictClause({ columns, key }: TableDetail): string {
  const rest = columns.map((column) => column.name).filter((name) => !key.includes(name));
  const target = `ON CONFLICT (${columnNames(key)})`;
  if (rest.length === 0) return `${target} DO NOTHING`;
  return `${target} DO UPDATE SET ${rest.map((name) => `${ident(name)} = excluded.${ident(name)}`).join(', ')}`;
}

function upsertFrom({ destination, detail }: Upsert, from: string, where = ''): string {
  return `${insertRows(from, destination, detail)}${where} ${conflictClause(detail)}`;
}

/** The last row of each key: deletes and the rest are different keys, so that one statement can do all. */
function upsertLast(upsert: Upsert): string {
  const { from, destination, detail, pending } = upsert;
  const key = columnNames(detail.key);
  const same = sameKey(detail, 'l.');
  const last = `SELECT DISTINCT ON (${key}) * FROM ${from} ORDER BY ${key}, ${ORDER_COLUMN} DESC`;
  return `WITH last AS MATERIALIZED (${last}),
    gone AS (DELETE FROM ${qualified(destination)} t USING last l WHERE l.${OP_COLUMN} = 1 AND ${same})
    ${pending === 'partials' ? partialUpdate(upsert, same) : ''}
    ${upsertFrom(upsert, 'last', ` WHERE ${OP_COLUMN} = 0 AND ${ABSENT_COLUMN} IS NULL`)}`;
}

/** Rows that leave columns as they are: where there is no row, there is nothing to write. */
function partialUpdate({ destination, detail }: Upsert, same: string): string {
  const sets = partialSet(detail, 'l.');
  if (sets === undefined) return '';
  return `, part AS (UPDATE ${qualified(destination)} t SET ${sets} FROM last l
    WHERE l.${OP_COLUMN} = 0 AND l.${ABSENT_COLUMN} IS NOT NULL AND ${same})`;
}
