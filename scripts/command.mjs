// Runs a command in the repository, its output going to this terminal.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Runs a command from the repository's root and waits for it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string> }} [options] variables added to the environment
 * @returns {boolean} whether it exited with 0
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...options.env },
  });
  if (result.error) console.error(`cannot run ${command}: ${result.error.message}`);
  return result.status === 0;
}
