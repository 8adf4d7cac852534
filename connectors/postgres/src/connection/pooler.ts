/**
 * Poolers between us and the server. One that gives the server's sessions away by transaction makes a mess of ours:
 * settings reach others and get lost, and so do locks and snapshots.
 */
import { pgErrors } from '../errors.js';
import type { Session } from './session.js';

/** How often the server's session is looked at while another one keeps hers. */
const LOOKS = 5;

/**
 * Throws `SLUICE-PG-0056` where a session is not ours for as long as its connection lasts. Only a pooler makes that
 * possible, and the process that it names at login is none of the server's; then another session shows whether hers
 * can be the one that we had.
 */
export async function requireOwnSession(session: Session, connect: () => Promise<Session>): Promise<void> {
  const first = await backendOf(session);
  if (first === session.process) return;
  const other = await connect();
  try {
    await other.query('BEGIN');
    let shared = (await backendOf(other)) === first;
    for (let look = 0; look < LOOKS && !shared; look++) shared = (await backendOf(session)) !== first;
    if (shared) {
      throw pgErrors.pooledByTransaction(
        'a pooler on the way to the server gives its sessions away by transaction',
      );
    }
    await other.query('ROLLBACK');
  } finally {
    await other.close();
  }
}

async function backendOf(session: Session): Promise<number> {
  const [row] = await session.rows('SELECT pg_catalog.pg_backend_pid()');
  return Number(row![0]);
}
