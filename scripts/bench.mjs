// npm run bench -- [name …] [--rows N] [--rounds N]: the same work by the floor and by Sluice, in turns.
import { join } from 'node:path';
import { build } from './build.mjs';
import { root, run } from './command.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';

requireNode();
const main = join(root, 'test', 'bench', 'dist', 'main.js');
const ok = install() && build() && run(process.execPath, [main, ...process.argv.slice(2)]);
process.exit(ok ? 0 : 1);
