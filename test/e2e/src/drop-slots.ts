/** Leaves nothing on a server that many tests share: slots of a database are dropped, whoever still reads them. */
import { expect } from 'vitest';

const SLOTS = 'FROM pg_replication_slots WHERE database = current_database()';

/** `sql` runs statements in the database and answers with what they find. */
export async function dropSlots(sql: (text: string) => Promise<string>): Promise<void> {
  await sql(`SELECT pg_terminate_backend(active_pid) ${SLOTS} AND active`);
  await expect.poll(() => sql(`SELECT count(*) FILTER (WHERE active) ${SLOTS}`)).toBe('0');
  await sql(`SELECT pg_drop_replication_slot(slot_name) ${SLOTS}`);
}
