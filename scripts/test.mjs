// npm test: setup, every test, and as the last line "N passed, N failed, N skipped".
// Arguments go to vitest: npm test -- sdk/src/types.test.ts -t 'name of a test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root, run } from './command.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';
import { verdict } from './test-counts.mjs';

requireNode();
const nothingRan = { passed: 0, failed: 1, skipped: [] };
if (!install() || !build()) finish(nothingRan, false);

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-counts-'));
const countsFile = join(folder, 'counts.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const vitestOk = run(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  env: { SLUICE_TEST_COUNTS: countsFile },
});
const counts = existsSync(countsFile) ? JSON.parse(readFileSync(countsFile, 'utf8')) : nothingRan;
rmSync(folder, { recursive: true, force: true });
finish(counts, vitestOk);

/** Prints the skips and the closing line, and ends the process. */
function finish(counts, vitestOk) {
  const { line, ok, refused } = verdict(counts, process.env.SLUICE_TEST_REQUIRE === 'all');
  const reasons = new Map();
  for (const { reason = 'no reason given' } of counts.skipped)
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, times] of reasons) console.log(`skipped ${times}: ${reason}`);
  for (const skip of refused)
    console.log(`must not be skipped: ${skip.name} (${skip.reason ?? 'no reason'})`);
  console.log(line);
  process.exit(ok && vitestOk ? 0 : 1);
}
