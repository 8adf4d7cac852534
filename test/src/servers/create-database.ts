import { randomBytes } from 'node:crypto';
import { psql } from './psql.js';

/**
 * Creates an empty database under a new name.
 * @param url any database of the server
 * @returns the new database's URL, with everything else as in the given one
 */
export async function createDatabase(url: string): Promise<string> {
  const name = `sluice_${randomBytes(6).toString('hex')}`;
  await psql(url, `CREATE DATABASE ${name} TEMPLATE template0`);
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}
