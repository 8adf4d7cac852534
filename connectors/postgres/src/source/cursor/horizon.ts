/**
 * Up to when a database's past is settled. In this order: the clock is read, open transactions are listed, and later
 * the reader takes its snapshot. A transaction that is neither listed nor in the snapshot began after the clock was
 * read, so what `now()` gave it lies behind that; one that is listed began at the earliest when the oldest of them
 * did.
 */
import type { Session } from '../../connection/session.js';
import { literal } from '../../quote.js';
import { hasOnlyReads } from '../only-reads.js';

export interface Horizon {
  /** The server's clock when looking began, as text. */
  readonly now: string;
  /** Start of the oldest transaction that was open then. */
  readonly oldest: string | null;
  /** When the first of those that are prepared was: its start is not known. */
  readonly prepared: string | null;
  /** Whether a transaction that began before the clock was read was still open. */
  readonly blocked: boolean;
}

/**
 * Between taking its start from the clock and showing it to others a transaction passes a moment; a process would
 * have to stand still in there for this long to be overlooked.
 */
const UNSEEN = "interval '500 milliseconds'";

/**
 * Both statements run in one transaction, whose view of the activity is made when the second asks for it. Writers of
 * other databases, processes that write no rows of people, and our own readers do not count.
 */
const LOOK = (now: string | undefined) => `
  SELECT pg_catalog.set_config('sluice.now', ${now === undefined ? 'pg_catalog.clock_timestamp()::text' : literal(now)}, true);
  SELECT now, oldest, prepared, COALESCE(LEAST(oldest, prepared) <= now::timestamptz, false) FROM (
    SELECT pg_catalog.current_setting('sluice.now') AS now,
      (SELECT min(xact_start) FROM pg_catalog.pg_stat_activity
       WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
         AND backend_type NOT IN ('walsender', 'autovacuum worker')
         AND NOT ${hasOnlyReads('pg_stat_activity.pid')}) AS oldest,
      (SELECT min(prepared) FROM pg_catalog.pg_prepared_xacts
       WHERE database = pg_catalog.current_database()) AS prepared
  ) AS seen`;

/** Looks; with `now`, once more at transactions that began before an earlier look. */
export async function look(session: Session, now?: string): Promise<Horizon> {
  const results = await session.script(LOOK(now), 'listing open transactions');
  const [at, oldest, prepared, blocked] = results.at(-1)!.rows[0]!;
  return { now: at!, oldest: oldest!, prepared: prepared!, blocked: blocked === 't' };
}

/** How late writers may be, in milliseconds: all of them, and those that have prepared their transaction. */
export interface Lateness {
  readonly lag: number;
  readonly prepared: number;
}

/** The moment before which no row will come any more, as SQL. */
export function settledUntil({ now, oldest, prepared }: Horizon, late: Lateness): string {
  const begun = `LEAST(${moment(now)} - ${UNSEEN}, ${moment(oldest)})`;
  return `LEAST(${begun} - ${milliseconds(late.lag)}, ${moment(prepared)} - ${milliseconds(late.prepared)})`;
}

function milliseconds(ms: number): string {
  return `interval '${ms} milliseconds'`;
}

/** A moment of which the text is known, as SQL. */
export function moment(text: string | null): string {
  return text === null ? 'NULL::timestamptz' : `${literal(text)}::timestamptz`;
}

/**
 * The earliest that clocks of a zone will still show from a moment on, as SQL: they may be set back, by whole
 * quarters of an hour, within the next three hours.
 */
export function earliestShown(instant: string, zone: string): string {
  const quarters = `pg_catalog.generate_series(0, 12) AS q`;
  const next = `pg_catalog.to_timestamp(ceil(extract(epoch FROM ${instant}) / 900) * 900 + q * 900)`;
  return `LEAST(${instant} AT TIME ZONE ${literal(zone)}, (SELECT min(${next} AT TIME ZONE ${literal(zone)}) FROM ${quarters}))`;
}
