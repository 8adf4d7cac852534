// Runs SQL through PostgreSQL's own client, which is none of our code.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './command.js';
import { ServerUnavailable } from './server-unavailable.js';

/**
 * The path of `psql`.
 * @throws ServerUnavailable when it is not installed
 */
export function psqlPath(): string {
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, 'psql')).find((path) => existsSync(path));
  if (found === undefined) throw new ServerUnavailable('psql is not installed (package postgresql-client)');
  return found;
}

/**
 * Runs one or more statements, each in a transaction of its own unless the text begins one.
 * @param url of the database
 * @param sql the statements; psql's own commands work too
 * @returns the rows that they yielded, one a line, fields separated by `|`, nulls empty; no headings
 * @throws CommandFailed with psql's message at the first statement that fails
 */
export async function psql(url: string, sql: string): Promise<string> {
  const options = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose'];
  const output = await runCommand(psqlPath(), [...options, '-d', url, '-f', '-'], {
    env: withoutPostgresVariables(),
    input: sql,
  });
  return output.replace(/\n$/, '');
}

/** The environment without the variables that would change what psql connects to or how it prints. */
function withoutPostgresVariables(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return Object.fromEntries(kept);
}
