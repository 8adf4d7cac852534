import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const built = new URL('../dist/failpoint.js', import.meta.url).href;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-failpoint-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a process that passes `a`, `b`, `a`, `b`, `a` and prints each point that it has passed. */
function run(env: { [name: string]: string }) {
  const script = `import { failpoint } from ${JSON.stringify(built)};
    for (const name of ['a', 'b', 'a', 'b', 'a']) { failpoint(name); process.stdout.write(name); }`;
  const { SLUICE_FAILPOINT: _, SLUICE_FAILPOINT_LOG: __, ...inherited } = process.env;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...inherited, ...env },
    encoding: 'utf8',
  });
}

test('without the variable nothing happens', () => {
  expect(run({})).toMatchObject({ status: 0, signal: null, stdout: 'ababa' });
});

test.each([
  ['a', ''],
  ['b', 'a'],
  ['a@2', 'ab'],
  ['b@2', 'aba'],
])('%s kills the process at that point', (point, passed) => {
  expect(run({ SLUICE_FAILPOINT: point })).toMatchObject({ status: null, signal: 'SIGKILL', stdout: passed });
});

test.each(['c', 'a@4', 'a@x'])('%s is never reached', (point) => {
  expect(run({ SLUICE_FAILPOINT: point })).toMatchObject({ status: 0, stdout: 'ababa' });
});

test('points are logged before they kill', () => {
  const log = join(folder, 'points.log');
  expect(run({ SLUICE_FAILPOINT_LOG: log, SLUICE_FAILPOINT: 'a@2' }).signal).toBe('SIGKILL');
  expect(readFileSync(log, 'utf8')).toBe('a\nb\na\n');
});
