// Compiles every package with TypeScript's incremental build.
import { join } from 'node:path';
import { root, run } from './command.mjs';

/**
 * Type-checks and compiles what changed since the last build.
 * @returns {boolean} whether there were no type errors
 */
export function build() {
  return run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
}
