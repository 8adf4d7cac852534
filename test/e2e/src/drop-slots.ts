/** Leaves nothing on a server that many tests share: slots of a database are dropped, whoever still reads them. */

const SLOTS = 'FROM pg_replication_slots WHERE database = current_database()';
/** How long a reader may take to leave, in milliseconds. */
const LEAVING = 20_000;

/** `sql` runs statements in the database and answers with what they find. */
export async function dropSlots(sql: (text: string) => Promise<string>): Promise<void> {
  await sql(`SELECT pg_terminate_backend(active_pid, ${LEAVING}) ${SLOTS} AND active`);
  await sql(`SELECT pg_drop_replication_slot(slot_name) ${SLOTS}`);
}
