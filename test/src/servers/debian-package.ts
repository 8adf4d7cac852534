// Programs of Debian's packages, unpacked into the cache instead of installed.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.js';
import { CommandFailed, runCommand } from './command.js';
import { ServerUnavailable } from './server-unavailable.js';

/**
 * The folder in which packages are unpacked, as they would be in `/`; made on first use.
 * @param name of the cache's entry, and of what they are for
 * @throws ServerUnavailable when they cannot be fetched
 */
export function debianPackages(name: string, packages: readonly string[]): Promise<string> {
  return cached(name, async (making) => {
    try {
      await download(making, packages);
      for (const archive of readdirSync(making).filter((file) => file.endsWith('.deb'))) {
        await runCommand('dpkg-deb', ['-x', archive, '.'], { cwd: making });
        rmSync(join(making, archive));
      }
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new ServerUnavailable(`Debian's packages of ${name} cannot be fetched (${error.message})`);
    }
  });
}

/** A new machine has no lists of packages yet. */
async function download(folder: string, packages: readonly string[]): Promise<void> {
  const fetch = () => runCommand('apt-get', ['download', '-qq', ...packages], { cwd: folder });
  try {
    await fetch();
  } catch {
    await runCommand('apt-get', ['update', '-qq']);
    await fetch();
  }
}
