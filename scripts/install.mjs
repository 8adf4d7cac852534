// Installs the dependencies of all packages with the one version of pnpm that the project uses.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './command.mjs';

/** The version of pnpm that writes and reads the lockfile. */
export const pnpmVersion = '10.34.9';

const stamp = join(root, 'node_modules', '.sluice-install');
const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', '.npmrc'];

/** A hash of everything that decides what an install puts on disk. */
function fingerprint() {
  const hash = createHash('sha256').update(`pnpm ${pnpmVersion} node ${process.versions.modules}\n`);
  for (const name of inputs) {
    const path = join(root, name);
    hash.update(`${name}\n`);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

/**
 * Installs from the lockfile; does nothing when the last install was made from the same one.
 * @returns {boolean} whether the dependencies are in place
 */
export function install() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  const args = ['--yes', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile'];
  if (!run('npx', args, { env: { CI: 'true' } })) {
    console.error(
      'The dependencies could not be installed. If a package.json or pnpm-workspace.yaml was changed, ' +
        `bring the lockfile up to date with: npx pnpm@${pnpmVersion} install`,
    );
    return false;
  }
  writeFileSync(stamp, wanted);
  return true;
}
