// npm run check: types, style, arrows, generated files, mentions. All of it runs, and any problem fails it.
// With --fix it first formats and repairs what can be repaired without a person.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { checkMentions } from './check-mentions.mjs';
import { root, run } from './command.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';

requireNode();
if (!install()) process.exit(1);
const fix = process.argv.includes('--fix');

const steps = [
  ['types', build],
  ['style', style],
  ['arrows', arrows],
  ['generated files', generated],
  ['mentions', () => report(checkMentions(root))],
];

const failed = [];
for (const [name, step] of steps) {
  console.log(`check: ${name}`);
  if (!(await step())) failed.push(name);
}
console.log(failed.length === 0 ? 'check: all is well' : `check: problems in ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);

function style() {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const options = ['--error-on-warnings', '--max-diagnostics=50', ...(fix ? ['--write'] : [])];
  if (run(process.execPath, [biome, 'check', ...options])) return true;
  if (!fix) console.error('Most of these are repaired by: npm run check -- --fix');
  return false;
}

/** The parser that this step needs comes with the install, hence the late import. */
async function arrows() {
  const { checkArrows } = await import('./check-arrows.mjs');
  return report(checkArrows(root));
}

/** Files made from the code are made again and compared; the maker says which one is out of date. */
function generated() {
  const generator = join(root, 'scripts', 'generate.mjs');
  if (!existsSync(generator)) return true;
  return run(process.execPath, [generator, ...(fix ? [] : ['--check'])]);
}

function report(problems) {
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
}
