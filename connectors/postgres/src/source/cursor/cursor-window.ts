/** What one run reads of a stream: from where the last one ended to where the past is settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../../connection/session.js';
import { pgErrors } from '../../errors.js';
import { ident, literal } from '../../quote.js';
import { policiesOf } from '../read-transaction.js';
import { fromClause } from '../select.js';
import type { CursorSpec } from '../split-spec.js';
import type { CursorOrder, CursorPlace } from './cursor-place.js';
import { type CursorTable, latenessOf } from './cursor-table.js';
import { earliestShown, type Horizon, type Lateness, look, moment, settledUntil } from './horizon.js';

/** How long a number waits for transactions that may have drawn a lower one, and how often it looks. */
const WAIT_MS = 2000;
const LOOK_MS = 20;

export interface Window {
  /** Where it ends; undefined: nothing can be read yet. */
  readonly end: CursorPlace | undefined;
  /** Whether there are rows in it, as far as an index tells. */
  readonly mayHaveRows: boolean;
  /** Whether the table has rows that no window holds: without a cursor, or with an infinite one. */
  readonly unreadable: boolean;
  /** The number that a later run can read up to. */
  readonly pending?: CursorPlace['pending'];
}

export interface WindowRequest {
  readonly spec: CursorSpec;
  readonly table: CursorTable;
  readonly order: CursorOrder;
  readonly from: CursorPlace;
  /** A look at the transactions that may be somewhat older, for cursors that are moments. */
  readonly horizon: () => Promise<Horizon>;
}

/** Asked outside of a transaction: the reader's snapshot has to be taken after it. */
export async function windowOf(session: Session, request: WindowRequest): Promise<Window> {
  const { kind } = request.table.cursor;
  return kind === 'number' ? numbers(session, request) : moments(session, request, await request.horizon());
}

async function moments(
  session: Session,
  { spec, table, order, from }: WindowRequest,
  horizon: Horizon,
): Promise<Window> {
  const { cursor } = table;
  const end = shown(table, settledUntil(horizon, latenessOf(table)));
  const conditions = [order.behind(from), `t.${ident(cursor.column)} < b.upto`].filter(Boolean).join(' AND ');
  const [row] = await session.rows(
    `${policiesOf(spec)}SELECT b.upto::text, ${isAhead(table, from, moment(horizon.now))}, ${exists(table, conditions)}, ${unreadable(table)}
     FROM (SELECT ${end} AS upto) AS b`,
    undefined,
    'looking for new rows',
  );
  const [before, isBehind, some, lost] = row!;
  if (isBehind === 't') {
    throw pgErrors.clockBehind(
      `rows up to ${lastOf(from)} of ${cursor.column} were read before, and the server's clock shows ${horizon.now}`,
    );
  }
  return { end: { before: before! }, mayHaveRows: some === 't', unreadable: lost === 't' };
}

/** A moment as the cursor's type shows it. */
function shown(table: CursorTable, instant: string): string {
  const { kind, zone } = table.cursor;
  return kind === 'instant' ? instant : `(${earliestShown(instant, zone!)})::${typeOf(table)}`;
}

function typeOf({ cursor, columns }: CursorTable): string {
  return columns.find(({ name }) => name === cursor.column)!.type.name;
}

/** Whether a place lies ahead of what a clock shows, as SQL. */
export function isAhead(table: CursorTable, place: CursorPlace, now: string): string {
  const last = lastOf(place);
  return last === undefined ? 'false' : `${literal(last)}::${typeOf(table)} > ${shown(table, now)}`;
}

function lastOf({ after, before }: CursorPlace): string | undefined {
  return after?.[0] ?? before;
}

async function numbers(session: Session, { spec, table, order, from }: WindowRequest): Promise<Window> {
  const { cursor, relation } = table;
  const late = latenessOf(table);
  const isLagged = late.lag > 0;
  const column = `t.${ident(cursor.column)}`;
  const conditions = order.behind(from) ?? 'true';
  const [row] = await session.rows(
    `${policiesOf(spec)}SELECT (SELECT max(${column})::text FROM ${fromClause(relation)} AS t WHERE ${conditions}), ${unreadable(table)}`,
    undefined,
    'looking for new rows',
  );
  const [highest, lost] = row!;
  const unread = { unreadable: lost === 't' };
  if (highest === null) return { end: undefined, mayHaveRows: false, ...unread };
  // Whoever drew a number below the highest had begun before this look.
  let horizon = await look(session);
  const { now } = horizon;
  // What is not behind the place where reading begins is no end for it.
  const pending = from.pending && isBehind(from.pending.value!, from) ? from.pending : undefined;
  const waits = isLagged || horizon.blocked;
  if (waits && pending !== undefined && (await isSettled(session, pending.at, horizon, late))) {
    const end = { after: [pending.value!] };
    return { end, mayHaveRows: true, pending: { value: highest!, at: now }, ...unread };
  }
  const until = performance.now() + WAIT_MS;
  while (!isLagged && horizon.blocked && performance.now() < until) {
    await sleep(LOOK_MS);
    horizon = await look(session, now);
  }
  if (!isLagged && !horizon.blocked) return { end: { after: [highest!] }, mayHaveRows: true, ...unread };
  return { end: undefined, mayHaveRows: false, pending: pending ?? { value: highest!, at: now }, ...unread };
}

function isBehind(value: string, { after }: CursorPlace): boolean {
  return after === undefined || BigInt(value) >= BigInt(after[0]!);
}

/** Whether everybody who wrote at a moment is done by now. */
async function isSettled(session: Session, at: string, horizon: Horizon, late: Lateness): Promise<boolean> {
  const [row] = await session.rows(`SELECT ${moment(at)} < ${settledUntil(horizon, late)}`);
  return row![0] === 't';
}

/** Without an index the answer would cost as much as reading. */
function exists({ relation, indexed }: CursorTable, conditions: string): string {
  return indexed ? `EXISTS (SELECT FROM ${fromClause(relation)} AS t WHERE ${conditions})` : 'true';
}

/** Whether the table has rows without a place in the order, as SQL. */
export function unreadable({ relation, cursor: { column, kind, nullable } }: CursorTable): string {
  const name = `t.${ident(column)}`;
  const conditions = [
    ...(nullable ? [`${name} IS NULL`] : []),
    ...(kind === 'number' ? [] : [`${name} IN ('infinity', '-infinity')`]),
  ];
  if (conditions.length === 0) return 'false';
  return `EXISTS (SELECT FROM ${fromClause(relation)} AS t WHERE ${conditions.join(' OR ')})`;
}
