/** The command that installs a package where a project already uses a package manager. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LOCKFILES: readonly (readonly [file: string, command: string])[] = [
  ['pnpm-lock.yaml', 'pnpm add'],
  ['yarn.lock', 'yarn add'],
  ['bun.lock', 'bun add'],
  ['bun.lockb', 'bun add'],
  ['package-lock.json', 'npm install'],
];

/** By the lock file at `from` or above it; npm when there is none. */
export function installCommand(packageName: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = LOCKFILES.find(([file]) => existsSync(join(folder, file)));
    if (found !== undefined) return `${found[1]} ${packageName}`;
    if (dirname(folder) === folder) return `npm install ${packageName}`;
  }
}
