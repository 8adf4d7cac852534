/** Which database this is, independent of the address it is reached by. */
import { pgErrors } from '../errors.js';
import { hasState } from './server-error.js';
import type { Session } from './session.js';

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * `postgres:<system identifier>/<number of the database>`. A physical copy of a server shares it, a dump that was
 * restored elsewhere does not. Where the user may not see the identifier of the system, the database's name and
 * number have to do.
 */
export async function databaseIdentity(session: Session): Promise<string> {
  const system = await systemIdentifier(session);
  const [row] = await session.rows(
    'SELECT oid, datname FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()',
  );
  if (row === undefined)
    throw pgErrors.statementFailed('the server does not list the database that it serves');
  return system === undefined ? `postgres:?/${row[0]}/${row[1]}` : `postgres:${system}/${row[0]}`;
}

async function systemIdentifier(session: Session): Promise<string | undefined> {
  try {
    const [row] = await session.rows('SELECT system_identifier FROM pg_catalog.pg_control_system()');
    return row?.[0] ?? undefined;
  } catch (error) {
    if (hasState(error, INSUFFICIENT_PRIVILEGE)) return undefined;
    throw error;
  }
}
