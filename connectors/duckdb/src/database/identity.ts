/** Which database this is: see docs/design/duckdb-commit.md. */
import { createHash } from 'node:crypto';
import { storedIdentity } from '../sink/records.js';
import type { Database } from './database.js';

/** The identity of a database that has none stored: made from its real path. */
export function identityOfPath(path: string): string {
  return `duckdb:${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
}

export async function identityOf(database: Database): Promise<string> {
  return (await storedIdentity(database.control)) ?? identityOfPath(database.path);
}
