/** Which file a connection means. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '@sluice/sdk';

export const MEMORY = ':memory:';

/**
 * The real path of the database, also of one that does not exist yet. `duckdb:` URLs are read as `file:` URLs are
 * (`duckdb:///data/lake.duckdb`), and relative to the job's folder when they have no slashes (`duckdb:lake.duckdb`).
 */
export async function databasePath(config: { readonly path: string }, c: Context): Promise<string> {
  const given = withoutScheme(config.path);
  if (given === MEMORY) return MEMORY;
  const absolute = path.resolve(c.cwd, given);
  try {
    return await realpath(absolute);
  } catch {
    return path.join(await realFolder(path.dirname(absolute)), path.basename(absolute));
  }
}

/** The real path of a folder as far as it exists. */
async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const parent = path.dirname(folder);
    return parent === folder ? folder : path.join(await realFolder(parent), path.basename(folder));
  }
}

function withoutScheme(given: string): string {
  if (!/^duckdb:/i.test(given)) return given;
  const rest = given.slice('duckdb:'.length);
  if (rest.startsWith('///')) return fileURLToPath(`file:${rest}`);
  return decodeURIComponent(rest.startsWith('//') ? rest.slice(2) : rest);
}
