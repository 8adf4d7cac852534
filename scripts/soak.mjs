// npm run soak -- [--kills N] [--seed N]: kills runs at every named point and at random instants, and compares the ends.
import { join } from 'node:path';
import { build } from './build.mjs';
import { root, run } from './command.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';

requireNode();
const main = join(root, 'test', 'e2e', 'dist', 'soak.js');
const ok = install() && build() && run(process.execPath, [main, ...process.argv.slice(2)]);
process.exit(ok ? 0 : 1);
