/**
 * The instant that a copy shows, by the server's own account: its snapshot says of every transaction whether it is in
 * it. The copy's last position carries it, so that whoever has the copy can leave out of the log what it shows.
 *
 * What a copy does not show comes behind the place at which it began: whoever was writing the table by then has been
 * waited for, so that it is in the copy, also one that was still waiting for a standby to confirm its commit.
 */
import type { Json, Origin } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import type { TableName } from '../quote.js';
import { EPOCH_MS } from './log-messages.js';
import { type Lsn, parseLsn, sortedLsn } from './lsn.js';
import type { LoggedTransaction } from './transaction-list.js';
import { writersEnded } from './writers.js';

/** Where a copy stands in the log and in time. */
export type CopyPlace = Pick<Origin, 'committedAt' | 'transaction'>;

/** Before the copy's transaction begins. Throws `SLUICE-PG-0038` on a standby, `SLUICE-PG-0060`. */
export async function placeCopy(session: Session, table: TableName): Promise<CopyPlace> {
  const [standby] = await session.rows('SELECT pg_catalog.pg_is_in_recovery()');
  if (standby![0] === 't') {
    throw pgErrors.unsupported('a standby does not tell which transactions are open; read from the primary');
  }
  // A message of its own, so that no other copy has the same place.
  const [row] = await session.rows(
    `SELECT pg_catalog.pg_logical_emit_message(false, 'sluice', ''),
            (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint`,
  );
  const [place, at] = row as string[];
  await writersEnded(session, [table]);
  return { transaction: sortedLsn(parseLsn(place)), committedAt: BigInt(at!) };
}

/** Within the copy's transaction: what it shows, as the copy's last position. */
export async function shownNow(session: Session): Promise<Json> {
  const [row] = await session.rows(
    'SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_current_wal_insert_lsn()',
  );
  const [snapshot, end] = row as string[];
  return { snapshot: snapshot!, end: end! };
}

/** A copy's instant, to be asked about transactions of the log. */
export class CopyInstant {
  private constructor(
    private readonly xmin: bigint,
    private readonly xmax: bigint,
    private readonly open: ReadonlySet<bigint>,
    private readonly end: Lsn,
  ) {}

  /** Undefined for a position that tells none: of a copy that was made in another way. */
  static of(position: Json): CopyInstant | undefined {
    if (typeof position !== 'object' || position === null || !('snapshot' in position)) return undefined;
    const { snapshot, end } = position as { snapshot: string; end: string };
    const [xmin, xmax, open] = snapshot.split(':') as [string, string, string];
    const numbers = open.split(',').filter((text) => text !== '');
    return new CopyInstant(BigInt(xmin), BigInt(xmax), new Set(numbers.map(BigInt)), parseLsn(end));
  }

  /** What is committed behind the copy's end was not committed when its snapshot was taken. */
  mayShow({ commit }: LoggedTransaction): boolean {
    return commit < this.end;
  }

  shows(transaction: LoggedTransaction): boolean {
    if (!this.mayShow(transaction)) return false;
    // The log has the low half of the number; the whole one is near to those of the snapshot.
    const id = this.xmax + BigInt((transaction.id - Number(this.xmax & 0xffff_ffffn)) | 0);
    return id < this.xmin || (id < this.xmax && !this.open.has(id));
  }
}

/** Microseconds since 1970 of the server's microseconds since 2000. */
export function epochMicros(sinceY2k: number): bigint {
  return BigInt(sinceY2k) + BigInt(EPOCH_MS) * 1000n;
}
