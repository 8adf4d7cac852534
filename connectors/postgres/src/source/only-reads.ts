/**
 * A mark on transactions that only read, for those who wait for writers: a lock that nobody else takes, and that is seen
 * in pg_locks. Whoever has it is in a transaction of ours that the server lets write nothing.
 */

/** `slui` in ASCII, and a number of our own. */
const [SPACE, NUMBER] = [0x736c7569, 1];

/** Sets the mark until the transaction ends. */
export const onlyReads = `pg_catalog.pg_advisory_xact_lock_shared(${SPACE}, ${NUMBER})`;

/** Whether the process with this number, an expression, has the mark. */
export function hasOnlyReads(pid: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_locks AS mark WHERE mark.pid = ${pid} AND mark.locktype = 'advisory'
    AND mark.classid = ${SPACE} AND mark.objid = ${NUMBER} AND mark.objsubid = 2 AND mark.granted)`;
}
