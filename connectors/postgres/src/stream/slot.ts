/** The replication slot, which keeps the server's log from where we are: made, looked at before each use. */
import type { Lag, Logger, SluiceError } from '@sluice/sdk';
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { literal } from '../quote.js';
import { type Lsn, lsnText, parseLsn } from './lsn.js';

export const PLUGIN = 'pgoutput';

/** How often, and after how many milliseconds each, a slot is asked for that somebody reads. */
const ATTEMPTS = 10;
const ATTEMPT_MS = 300;

export interface Slot {
  /** Transactions whose commit ends at or before it were confirmed: the slot does not have them any more. */
  readonly confirmed: Lsn;
  /** The server process that reads it now. */
  readonly reader: number | undefined;
}

const FAILOVER = 170000;

const SLOTS = `
  SELECT s.plugin, s.database, s.temporary, s.active_pid, s.wal_status, s.confirmed_flush_lsn,
         pg_catalog.current_database(), pg_catalog.to_json(s) ->> 'invalidation_reason'
  FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = `;

/** The slot as it is; undefined where there is none. Throws `SLUICE-PG-0045`, `SLUICE-PG-0046` where it is of no use. */
export async function findSlot(session: Session, name: string): Promise<Slot | undefined> {
  const found = await look(session, name);
  if (found?.givenUp !== undefined)
    throw pgErrors.slotLost(`the server gave up slot ${name} (${found.givenUp})`);
  return found;
}

/** Throws `SLUICE-PG-0045` for a slot of another kind, or of another database. */
async function look(
  session: Session,
  name: string,
): Promise<(Slot & { readonly givenUp: string | undefined }) | undefined> {
  const [row] = await session.rows(SLOTS + literal(name));
  if (row === undefined) return undefined;
  const [plugin, database, temporary, pid, walStatus, confirmed, current, reason] = row;
  const wrong =
    plugin !== PLUGIN
      ? `decodes with ${plugin ?? 'nothing: it is a physical one'}, not ${PLUGIN}`
      : database !== current
        ? `belongs to database ${database}, not ${current}`
        : temporary === 't'
          ? 'is temporary'
          : undefined;
  if (wrong !== undefined) {
    const drop = `SELECT pg_drop_replication_slot(${literal(name)})`;
    throw pgErrors.slotUnfit(`slot ${name} ${wrong}; set another \`slot\`, or drop it: ${drop}`);
  }
  const isLost = walStatus === 'lost' || (reason ?? null) !== null;
  return {
    confirmed: confirmed === null ? 0n : parseLsn(confirmed),
    reader: pid === null ? undefined : Number(pid),
    givenUp: isLost ? (reason ?? 'it was too far behind') : undefined,
  };
}

/** Makes the slot; returns where its log begins. */
export async function createSlot(session: Session, name: string): Promise<Lsn> {
  const failover = session.version >= FAILOVER && !(await isStandby(session)) ? ', false, false, true' : '';
  const [row] = await session.rows(
    `SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot(${literal(name)}, '${PLUGIN}'${failover})`,
    undefined,
    `creating slot ${name}`,
  );
  return parseLsn(row![0]);
}

/** Forgets what a slot has kept up to now; returns where its log begins then. */
export async function advanceSlot(session: Session, name: string): Promise<Lsn> {
  const now = lsnText(await logEnd(session));
  const [row] = await session.rows(
    `SELECT end_lsn FROM pg_catalog.pg_replication_slot_advance(${literal(name)}, '${now}')`,
    undefined,
    `advancing slot ${name}`,
  );
  return parseLsn(row![0]);
}

/**
 * Drops the slot, whatever has become of it. Harmless where there is none. Throws `SLUICE-PG-0045` for one of another
 * kind or database, `SLUICE-PG-0050` while somebody reads it; a reader that has just ended may still hold it for a moment.
 */
export async function dropSlot(session: Session, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const slot = await look(session, name);
    if (slot === undefined) return;
    try {
      await session.query(`SELECT pg_catalog.pg_drop_replication_slot(${literal(name)})`);
      return;
    } catch (error) {
      if (!hasState(error, '55006')) throw error;
      if (attempt === ATTEMPTS) throw busy(name, slot.reader);
    }
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
  }
}

/** The slot, once nobody reads it. Throws `SLUICE-PG-0050` where that does not come. */
export async function freeSlot(session: Session, name: string): Promise<Slot | undefined> {
  for (let attempt = 1; ; attempt++) {
    const slot = await findSlot(session, name);
    if (slot?.reader === undefined) return slot;
    if (attempt === ATTEMPTS) throw busy(name, slot.reader);
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
  }
}

export function busy(slot: string, reader: number | undefined): SluiceError {
  return pgErrors.slotBusy(
    `slot ${slot} is read by process ${reader}; if that is none of yours: SELECT pg_terminate_backend(${reader})`,
  );
}

/** The slot, if it still has everything behind a position. Throws `SLUICE-PG-0046` where it does not. */
export function checkPlace(slot: Slot | undefined, name: string, at: Lsn): Slot {
  if (slot === undefined) {
    throw pgErrors.slotLost(`slot ${name} is gone; what was changed since ${lsnText(at)} was not kept`);
  }
  if (slot.confirmed > at) {
    throw pgErrors.slotLost(
      `slot ${name} begins at ${lsnText(slot.confirmed)}, the job is at ${lsnText(at)}: it was made anew, or read by another`,
    );
  }
  return slot;
}

/** The end of the log that a reader can reach. */
export async function logEnd(session: Session): Promise<Lsn> {
  const [row] = await session.rows(
    `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                 ELSE pg_catalog.pg_current_wal_flush_lsn() END`,
  );
  return parseLsn(row![0]);
}

/** How far the slot is behind, and a warning where the server is about to give it up. */
export async function slotLag(session: Session, name: string, log: Logger): Promise<Lag> {
  const end = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_lsn() END`;
  const [row] = await session.rows(
    `SELECT pg_catalog.pg_wal_lsn_diff(${end}, confirmed_flush_lsn), pg_catalog.pg_wal_lsn_diff(${end}, restart_lsn),
            wal_status, safe_wal_size
     FROM pg_catalog.pg_replication_slots WHERE slot_name = ${literal(name)}`,
  );
  const [bytes, kept, status, safe] = row ?? [];
  if (status === 'extended' || status === 'unreserved') {
    const left =
      safe === null ? '' : `; after ${safe} bytes more the server gives it up (max_slot_wal_keep_size)`;
    log.warn(`slot ${name} keeps ${kept} bytes of the server's log, more than max_wal_size${left}`, {
      status,
    });
  }
  return { bytes: Math.max(0, Number(bytes ?? 0)), kept: Math.max(0, Number(kept ?? 0)) };
}

async function isStandby(session: Session): Promise<boolean> {
  const [row] = await session.rows('SELECT pg_catalog.pg_is_in_recovery()');
  return row![0] === 't';
}
