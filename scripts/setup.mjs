// npm run setup: everything a fresh clone needs, and nothing when nothing changed.
// npm run build: with --build, compiles only.
import { build } from './build.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';

requireNode();
const buildOnly = process.argv.includes('--build');
if (!buildOnly && !install()) process.exit(1);
if (!build()) process.exit(1);
