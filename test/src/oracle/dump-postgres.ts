import { psql } from '../servers/psql.js';
import { type Dump, parseDump } from './dump.js';

/**
 * Reads rows from PostgreSQL with psql.
 * @param url of the database
 * @param query one SELECT, with an `ORDER BY` if the order matters
 * @throws CommandFailed with psql's message
 */
export async function dumpPostgres(url: string, query: string): Promise<Dump> {
  const select = query.trim().replace(/;$/, '');
  const output = await psql(url, `COPY (${select}\n) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)`);
  return parseDump(`${output}\n`);
}
