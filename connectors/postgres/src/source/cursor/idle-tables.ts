/** Which of many tables have nothing behind the places where they were read to, with few questions. */
import type { PollPlace } from '@sluice/sdk';
import type { Session } from '../../connection/session.js';
import { fromClause } from '../select.js';
import { type CursorSpec, specOf } from '../split-spec.js';
import { type CursorPlace, placeOf } from './cursor-place.js';
import { orderOf } from './cursor-reader.js';
import type { CursorTable } from './cursor-table.js';
import { isAhead, unreadable } from './cursor-window.js';

/** Tables that are asked about in one statement. */
const AT_ONCE = 100;

/**
 * One answer a poll, in order. Whether the past behind a place is settled does not matter where nothing is behind it.
 * Only an index tells that at once; row security, and tables that are not those of the plan, are for who opens them.
 */
export async function idleTables(
  session: Session,
  polls: readonly PollPlace[],
  tables: ReadonlyMap<string, CursorTable>,
): Promise<boolean[]> {
  const idle = polls.map(() => false);
  const questions = polls.flatMap(({ split, at, reads }, i) => {
    const table = tables.get(reads[0]!.stream);
    const spec = specOf(split) as CursorSpec;
    if (table === undefined || !table.indexed || spec.filtered) return [];
    if (spec.oid !== undefined && spec.oid !== table.relation.oid) return [];
    const place = placeOf(at);
    const behind = orderOf(spec, table.columns).behind(place);
    return behind === undefined ? [] : [`SELECT ${i} WHERE NOT (${somethingNew(table, behind, place)})`];
  });
  for (let i = 0; i < questions.length; i += AT_ONCE) {
    const sql = questions.slice(i, i + AT_ONCE).join(' UNION ALL ');
    const results = await session.script(`SET LOCAL row_security = off; ${sql}`, 'looking for new rows');
    for (const [found] of results.at(-1)!.rows) idle[Number(found)] = true;
  }
  return idle;
}

function somethingNew(table: CursorTable, behind: string, place: CursorPlace): string {
  const rows = `EXISTS (SELECT FROM ${fromClause(table.relation)} AS t WHERE ${behind})`;
  const ahead =
    table.cursor.kind === 'number' ? 'false' : isAhead(table, place, 'pg_catalog.clock_timestamp()');
  return [rows, unreadable(table), ahead].join(' OR ');
}
