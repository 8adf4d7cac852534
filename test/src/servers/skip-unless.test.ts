// Runs vitest on a small file of its own, with and without the environment that requires everything.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandFailed, runCommand } from './command.js';

const dist = fileURLToPath(new URL('../../dist/servers/', import.meta.url));
const cache = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const inner = (name: string): string => `
  import { describe, expect, it } from 'vitest';
  import { ServerUnavailable } from '${dist}server-unavailable.js';
  import { skipUnless } from '${dist}skip-unless.js';
  describe('inner', () => {
    skipUnless('${name}', async () => { throw new ServerUnavailable('nothing of the kind here'); });
    it('would fail', () => expect(1).toBe(2));
  });`;

let folder: string;
beforeAll(() => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'skip-'));
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {};');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  numFailedTestSuites: number;
  numFailedTests: number;
  numPendingTests: number;
}

async function run(name: string, required: string): Promise<{ outcome: Outcome; output: string }> {
  writeFileSync(join(folder, 'inner.test.mjs'), inner(name));
  const report = join(folder, 'report.json');
  const args = [
    'run',
    '--root',
    folder,
    '--reporter=verbose',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const env = { ...process.env, SLUICE_TEST_REQUIRE: required, NO_COLOR: '1' };
  const output = await runCommand(process.execPath, [vitest, ...args], { cwd: folder, env }).catch(
    (error: unknown) => (error instanceof CommandFailed ? error.stderr : Promise.reject(error)),
  );
  return { outcome: JSON.parse(readFileSync(report, 'utf8')) as Outcome, output };
}

it('skips the tests with the reason', async () => {
  const { outcome, output } = await run('postgres-15', '');
  expect(outcome).toMatchObject({ numFailedTestSuites: 0, numFailedTests: 0, numPendingTests: 1 });
  expect(output).toContain('postgres-15 is not available: nothing of the kind here');
});

it('fails them when the run requires the server', async () => {
  const { outcome, output } = await run('postgres-15', 'all');
  expect(outcome.numFailedTestSuites).toBeGreaterThan(0);
  expect(output).toContain('postgres-15 is required here: nothing of the kind here');
});

it('skips servers that no run requires', async () => {
  const { outcome } = await run('postgres-14', 'all');
  expect(outcome).toMatchObject({ numFailedTestSuites: 0, numFailedTests: 0, numPendingTests: 1 });
});
