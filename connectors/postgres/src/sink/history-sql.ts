/**
 * Versions of rows: what waits in the writer's temporary table goes behind the versions that the target has. All rows of
 * an epoch in a few statements; of several changes of a row at one instant, in one transaction, the last makes a version.
 */
import { VALID_FROM, VALID_TO } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { ident, qualified, type TableName } from '../quote.js';
import { ABSENT_COLUMN, OP_COLUMN, ORDER_COLUMN } from './op-column.js';
import type { TableDetail } from './table-detail.js';
import { columnNames } from './table-sql.js';
import type { Pending } from './upsert-sql.js';

export interface History {
  readonly from: string;
  readonly destination: TableName;
  readonly detail: TableDetail;
  /** The columns that versions of one row share. */
  readonly key: readonly string[];
  readonly pending: Pending;
}

const VERSIONS = 'pg_temp._sluice_versions';
const [FROM, TO] = [ident(VALID_FROM), ident(VALID_TO)];
/** When a version begins: not before the one that it follows, whatever the source's clock says. */
const AT = '_sluice_at';

export async function applyHistory(session: Session, history: History, doing: string): Promise<void> {
  const { destination, detail } = history;
  const table = qualified(destination);
  const key = columnNames(history.key);
  const same = (a: string, b: string) =>
    history.key.map((name) => `${a}.${ident(name)} = ${b}.${ident(name)}`).join(' AND ');
  await session.query(
    `CREATE TEMPORARY TABLE _sluice_versions ON COMMIT DROP AS ${versions(history, await absentColumns(session, history))}`,
    undefined,
    doing,
  );
  const names = detail.columns.map(({ name }) => name);
  const values = detail.columns.map(({ name }) =>
    name === VALID_FROM ? AT : name === VALID_TO ? '_sluice_until' : ident(name),
  );
  const first = `(SELECT ${key}, min(${AT}) AS at FROM ${VERSIONS} GROUP BY ${key}) AS f`;
  await session.query(
    `DELETE FROM ${table} t USING ${first} WHERE ${same('t', 'f')} AND t.${TO} IS NULL AND t.${FROM} = f.at;
     UPDATE ${table} t SET ${TO} = f.at FROM ${first} WHERE ${same('t', 'f')} AND t.${TO} IS NULL;
     INSERT INTO ${table} (${columnNames(names)}) OVERRIDING SYSTEM VALUE
     SELECT ${values.join(', ')} FROM (
       SELECT *, lead(${AT}) OVER (PARTITION BY ${key} ORDER BY ${AT}) AS _sluice_until FROM ${VERSIONS}) v
     WHERE ${OP_COLUMN} = 0;
     DROP TABLE ${VERSIONS}`,
    undefined,
    doing,
  );
}

/** The places of columns that rows of the epoch leave out. */
async function absentColumns(session: Session, { from, detail, pending }: History): Promise<Set<number>> {
  if (pending !== 'partials') return new Set();
  const some = detail.columns.map((_, i) => `COALESCE(bool_or(get_bit(${ABSENT_COLUMN}, ${i}) = 1), false)`);
  const [row] = await session.rows(`SELECT ${some.join(', ')} FROM ${from}`);
  return new Set(row!.flatMap((text, i) => (text === 't' ? [i] : [])));
}

/**
 * The versions of the epoch. A value that is left out is that of the version before, in the epoch or in the target; one
 * that neither has, since a deletion or at all, is null.
 */
function versions({ from, destination, detail, key }: History, absent: ReadonlySet<number>): string {
  const keys = columnNames(key);
  const order = `PARTITION BY ${keys} ORDER BY ${ORDER_COLUMN}`;
  const cast = detail.columns.map(({ name, type, viaText }) =>
    viaText ? `${ident(name)}::${type} AS ${ident(name)}` : ident(name),
  );
  const same = key.map((name) => `s.${ident(name)} = o.${ident(name)}`).join(' AND ');
  const groups = [...absent].map(
    (i) =>
      `, count(*) FILTER (WHERE ${OP_COLUMN} = 1 OR ${ABSENT_COLUMN} IS NULL OR get_bit(${ABSENT_COLUMN}, ${i}) = 0) OVER (${order}) AS g${i}`,
  );
  const filled = detail.columns.map(({ name }, i) => {
    const own = `s.${ident(name)}`;
    if (!absent.has(i)) return own;
    const partition = [...key.map((each) => `s.${ident(each)}`), `s.g${i}`].join(', ');
    return `CASE WHEN s.g${i} = 0 THEN o.${ident(name)} ELSE first_value(CASE WHEN s.${OP_COLUMN} = 0 THEN ${own} END)
      OVER (PARTITION BY ${partition} ORDER BY s.${ORDER_COLUMN}) END AS ${ident(name)}`;
  });
  return `
    WITH s AS (
      SELECT ${cast.join(', ')}, ${OP_COLUMN}, ${ORDER_COLUMN}, max(${FROM}) OVER (${order}) AS latest${groups.join('')}
      FROM ${from}),
    filled AS (
      SELECT ${filled.join(', ')}, s.${OP_COLUMN}, s.${ORDER_COLUMN}, greatest(s.latest, o.${FROM}) AS ${AT}
      FROM s LEFT JOIN ${qualified(destination)} o ON ${same} AND o.${TO} IS NULL)
    SELECT DISTINCT ON (${keys}, ${AT}) * FROM filled ORDER BY ${keys}, ${AT}, ${ORDER_COLUMN} DESC`;
}
