/**
 * The transaction in which a split is read. The table is locked before the snapshot is taken: what has waited for a
 * TRUNCATE behind its snapshot would see neither the rows before nor those after. From then on it keeps its shape.
 */
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { literal, qualified, streamName, type TableName } from '../quote.js';
import { onlyReads } from './only-reads.js';
import { findRelation, type Relation } from './relation.js';
import { fromClause } from './select.js';
import type { RelationSpec } from './split-spec.js';

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const INVALID_SNAPSHOT = ['22023', '55000', '42704'];

/** What a split is read from. */
export interface Reading extends RelationSpec {
  /** The number that the table has to have. */
  readonly oid?: number;
  /** A snapshot to enter. */
  readonly snapshot?: string;
  /** Whether nothing can be read without it: else one of our own does as well. */
  readonly needsSnapshot?: boolean;
}

/**
 * Begins it, and returns the relation. Throws `SLUICE-PG-0019` where that is gone, `SLUICE-PG-0036` where the snapshot
 * is, `SLUICE-PG-0052` where policies hide rows that they did not hide before, `SLUICE-PG-0053` where another table has
 * taken its place, and `SLUICE-PG-0054`.
 */
export async function beginReading(session: Session, reading: Reading): Promise<Relation> {
  const before = await relationOf(session, reading);
  await enter(session, reading);
  const opening = `${policiesOf(reading)}${lockOf(before)}; SELECT ${onlyReads}`;
  await session.query(opening, undefined, `opening ${streamName(reading)}`);
  const relation = await relationOf(session, reading);
  await checkNumber(session, reading);
  return relation;
}

/** What a transaction begins with that reads a relation: the server refuses what it would hide rows of. */
export function policiesOf({ filtered }: RelationSpec): string {
  return filtered ? '' : 'SET LOCAL row_security = off; ';
}

export function notPopulated(relation: TableName) {
  const name = qualified(relation);
  return pgErrors.notPopulated(`${name} was never filled: REFRESH MATERIALIZED VIEW ${name}`, {
    details: { stream: streamName(relation) },
  });
}

async function relationOf(session: Session, name: TableName): Promise<Relation> {
  const relation = await findRelation(session, name);
  if (relation === undefined) throw pgErrors.missing(`${qualified(name)} is not there any more`);
  if (!relation.isPopulated) throw notPopulated(relation);
  return relation;
}

/** A split that does not need the shared snapshot goes on with one of its own when that is gone. */
async function enter(session: Session, { snapshot, needsSnapshot }: Reading): Promise<void> {
  if (snapshot === undefined) {
    await session.query(BEGIN);
    return;
  }
  try {
    await session.query(`${BEGIN}; SET TRANSACTION SNAPSHOT ${literal(snapshot)}`);
  } catch (cause) {
    if (!INVALID_SNAPSHOT.some((state) => hasState(cause, state))) throw cause;
    if (needsSnapshot)
      throw pgErrors.snapshotLost(`the snapshot ${snapshot} of this copy is gone`, { cause });
    await session.query(`ROLLBACK; ${BEGIN}`);
  }
}

/** Others than tables, and tables of which only some columns may be read, are locked by naming them in a query. */
function lockOf(relation: Relation): string {
  const from = fromClause(relation);
  const isTable = relation.kind === 'r' || relation.kind === 'p';
  if (isTable && relation.readable === 'all') return `LOCK TABLE ${from} IN ACCESS SHARE MODE`;
  return `SELECT FROM ${from} LIMIT 0`;
}

/** By what the name means now, and not when the snapshot was taken. */
async function checkNumber(session: Session, { oid, ...name }: Reading): Promise<void> {
  if (oid === undefined) return;
  const [row] = await session.rows('SELECT pg_catalog.to_regclass($1)::oid', [qualified(name)]);
  if (Number(row![0]) !== oid) throw replaced(name);
}

export function replaced(name: TableName) {
  return pgErrors.replaced(`${qualified(name)} is another table than the one that was planned`, {
    details: { stream: streamName(name) },
  });
}
