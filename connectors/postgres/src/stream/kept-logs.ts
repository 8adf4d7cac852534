/** Slots and publications as people look after them: listed with what they keep, and dropped. */
import type { KeptLog } from '@sluice/sdk';
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { ident, literal } from '../quote.js';
import { type LogNames, OWN_NAMES } from './log-names.js';

/** How often, and after how many milliseconds each, a slot is dropped again that is still read. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 100;

const END = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                  ELSE pg_catalog.pg_current_wal_lsn() END`;

const SLOTS = `
  SELECT s.slot_name, s.active_pid, s.wal_status, s.restart_lsn, s.confirmed_flush_lsn,
         pg_catalog.pg_wal_lsn_diff(${END}, s.confirmed_flush_lsn), pg_catalog.pg_wal_lsn_diff(${END}, s.restart_lsn),
         s.safe_wal_size, pg_catalog.to_json(s) ->> 'invalidation_reason'
  FROM pg_catalog.pg_replication_slots s WHERE s.database = pg_catalog.current_database() AND s.slot_name`;

/** Those of one flow, or all that have names of ours, by name. */
export async function keptLogs(session: Session, names: LogNames | undefined): Promise<KeptLog[]> {
  const [slots, publications] = names ? [names.slot, names.publication].map(equals) : [OURS, OURS];
  const found = (await session.rows(`${SLOTS} ${slots} ORDER BY 1`)).map(keptLog);
  const published = (
    await session.rows(
      `SELECT pubname FROM pg_catalog.pg_publication WHERE pubname ${publications} ORDER BY 1`,
    )
  ).map(([name]) => name!);
  const ofSlot = (slot: string) => names?.publication ?? slot;
  const logs = found.map((log): KeptLog => {
    const publication = ofSlot(log.name);
    return published.includes(publication) ? { ...log, publication } : log;
  });
  const alone = published.filter((name) => !found.some((log) => ofSlot(log.name) === name));
  return [
    ...logs,
    ...alone.map((publication): KeptLog => {
      const name = names?.slot ?? publication;
      return { name, publication, ours: isOurs(publication), state: 'missing' };
    }),
  ];
}

const OURS = `~ ${literal(OWN_NAMES)}`;

function equals(name: string): string {
  return `= ${literal(name)}`;
}

function isOurs(name: string): boolean {
  return new RegExp(OWN_NAMES).test(name);
}

function keptLog([slot, pid, status, keptFrom, confirmed, behind, kept, left, reason]: (
  | string
  | null
)[]): KeptLog {
  const name = slot!;
  const lost = status === 'lost' || (reason ?? null) !== null;
  const said = reason ?? status ?? null;
  return {
    name,
    ours: isOurs(name),
    state: lost ? 'lost' : pid === null ? 'idle' : 'reading',
    ...(said !== null && { status: said }),
    ...(pid != null && { reader: Number(pid) }),
    ...(keptFrom != null && { keptFrom }),
    ...(confirmed != null && { confirmed }),
    ...(behind != null && { bytesBehind: Math.max(0, Number(behind)) }),
    ...(kept != null && { bytesKept: Math.max(0, Number(kept)) }),
    ...(left != null && { bytesLeft: Number(left) }),
  };
}

/** The statements that drop what is there of these, and the process that reads the slot. */
export async function dropSteps(
  session: Session,
  { slot, publication }: Partial<LogNames>,
): Promise<{ steps: string[]; reader: number | undefined }> {
  const [found] = await session.rows(
    `SELECT (SELECT pg_catalog.json_build_array(active_pid) FROM pg_catalog.pg_replication_slots
             WHERE slot_name = $1 AND database = pg_catalog.current_database()),
            EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = $2)`,
    [slot ?? null, publication ?? null],
  );
  const [slots, isPublished] = found!;
  const steps: string[] = [];
  if (slots !== null) steps.push(`SELECT pg_drop_replication_slot(${literal(slot!)})`);
  if (isPublished === 't') steps.push(`DROP PUBLICATION ${ident(publication!)}`);
  const [reader] = slots === null ? [null] : (JSON.parse(slots!) as (number | null)[]);
  return { steps, reader: reader ?? undefined };
}

/** A reader that was cut off leaves its slot a moment later. */
export async function takeSteps(session: Session, steps: readonly string[], flow: string): Promise<void> {
  for (const sql of steps) {
    for (let attempt = 1; ; attempt++) {
      try {
        await session.query(sql, undefined, `cleaning up after ${flow}`);
        break;
      } catch (error) {
        if (!hasState(error, '55006') || attempt === ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
    }
  }
}
