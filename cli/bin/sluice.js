#!/usr/bin/env node
// Starts the command line. Committed, so that package managers can link it before anything is compiled.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Sluice needs Node.js 20.19 or newer, and this is ${process.versions.node}.`);
  process.exit(2);
}
const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('Sluice is not compiled yet. Run `npm run setup` in its repository.');
  process.exit(2);
}
// Compiled code is kept between starts where Node.js can do that (22.8 and later).
nodeModule.enableCompileCache?.();
await import(main);
