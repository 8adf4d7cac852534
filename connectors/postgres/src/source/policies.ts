/** Relations whose rows policies hide from the user: tables, and views that show them. */
import { isSluiceError } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { qualified } from '../quote.js';
import { policiesOf } from './read-transaction.js';
import type { Relation } from './relation.js';

/** Views that show tables with row security, however deep below. */
const VIEWS = `
  WITH RECURSIVE shown (view, relation) AS (
    SELECT oid, oid FROM pg_catalog.unnest($1::oid[]) AS wanted (oid)
    UNION SELECT s.view, d.refobjid
    FROM shown s JOIN pg_catalog.pg_rewrite r ON r.ev_class = s.relation
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> s.relation
  )
  SELECT DISTINCT s.view FROM shown s JOIN pg_catalog.pg_class c ON c.oid = s.relation WHERE c.relrowsecurity`;

/** Their numbers. Whose eyes a view sees with is asked of the server, which would refuse to hide anything. */
export async function filteredRelations(
  session: Session,
  relations: readonly Relation[],
): Promise<Set<number>> {
  const filtered = new Set(relations.filter(({ rowSecurity }) => rowSecurity).map(({ oid }) => oid));
  const views = new Map(relations.filter(({ kind }) => kind === 'v').map((view) => [view.oid, view]));
  if (views.size === 0) return filtered;
  for (const [number] of await session.rows(VIEWS, [`{${[...views.keys()].join(',')}}`])) {
    const oid = Number(number);
    if (await hidesRows(session, views.get(oid)!)) filtered.add(oid);
  }
  return filtered;
}

/** A view that cannot be read for another reason says so when it is. */
async function hidesRows(session: Session, view: Relation): Promise<boolean> {
  try {
    await session.query(`${policiesOf(view)}SELECT FROM ${qualified(view)} LIMIT 0`);
    return false;
  } catch (error) {
    if (!session.usable) throw error;
    return isSluiceError(error) && error.code === pgErrors.rowsHidden.entry.code;
  }
}
