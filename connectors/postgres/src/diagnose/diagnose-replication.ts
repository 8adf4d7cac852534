/** Whether changes can be read from the server's log. */
import type { Finding } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import type { Whoami } from './whoami.js';

const SETTINGS = `
  SELECT pg_catalog.current_setting('wal_level'), pg_catalog.current_setting('max_replication_slots'),
         pg_catalog.current_setting('max_wal_senders'),
         (SELECT count(*) FROM pg_catalog.pg_replication_slots),
         (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)`;

export async function diagnoseReplication(session: Session, { role }: Whoami): Promise<Finding[]> {
  const [row] = await session.rows(SETTINGS);
  const [walLevel, mostSlots, mostSenders, slots, replication] = row!;
  const findings: Finding[] = [];
  const setting = (what: string, fix: string) =>
    findings.push({ level: 'fail', what, fix: `${fix} -- then restart the server`, class: 'config' });
  if (walLevel !== 'logical')
    setting(`wal_level is ${walLevel}, not logical`, "ALTER SYSTEM SET wal_level = 'logical';");
  if (Number(slots) >= Number(mostSlots)) {
    const more = Number(slots) + 4;
    setting(
      `no replication slot is free: ${slots} of ${mostSlots}`,
      `ALTER SYSTEM SET max_replication_slots = ${more};`,
    );
  }
  if (mostSenders === '0') setting('max_wal_senders is 0', 'ALTER SYSTEM SET max_wal_senders = 10;');
  if (replication !== 't') {
    const fix = `ALTER ROLE ${role} REPLICATION;`;
    findings.push({ level: 'fail', what: `${role} may not replicate`, fix, class: 'auth' });
  }
  if (findings.length > 0) return findings;
  return [{ level: 'ok', what: 'changes can be read: wal_level is logical, and a replication slot is free' }];
}
