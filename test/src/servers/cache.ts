// The folder in which downloads, templates and Python environments outlive a test run.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeOwnedFolder, removeOrphans } from './orphans.js';

const unfinished = '.making-';

/**
 * Where test servers are cached: `SLUICE_TEST_CACHE` where set, else `~/.cache/sluice-servers`, or for root
 * `/var/cache/sluice-servers`, since the unprivileged user who runs the servers may not look into root's home.
 */
export function cacheFolder(): string {
  const isRoot = process.getuid?.() === 0;
  const usual = isRoot ? '/var/cache/sluice-servers' : join(homedir(), '.cache', 'sluice-servers');
  const folder = process.env['SLUICE_TEST_CACHE'] ?? usual;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/**
 * Returns an entry of the cache, made on first use. An entry appears whole or not at all; processes that make
 * the same one at the same time do not disturb each other, and one of theirs is kept.
 * @param name the entry's name, which changes with whatever it was made from
 * @param make fills the folder that it is given, whose path is not the final one
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const parent = cacheFolder();
  const entry = join(parent, name);
  if (existsSync(entry)) return entry;
  removeOrphans(parent, unfinished);
  const folder = makeOwnedFolder(parent, unfinished);
  try {
    await make(folder);
    renameSync(folder, entry);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(entry)) throw error;
  }
  return entry;
}
