/**
 * A wall clock that is set by an hour, forwards and backwards, many times in a run, in the whole process: every row lands once,
 * and a run that died under a clock that was ahead does not keep the next one waiting.
 */
import type { JobSpec } from '@sluice/sdk';
import { killAt } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTE = 60_000;
const ROWS = 30_000;

let place: Workspace;
let job: string;
beforeEach(() => {
  place = new Workspace();
  const spec: JobSpec = {
    name: 'shop',
    source: { connector: 'generate', rows: ROWS, splitRows: 10_000, rate: 10_000 },
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
    write: 'append',
    delivery: { commit: { every: '50ms' } },
    errors: { max: '1%' },
  };
  job = place.job('job.json', spec);
});
afterEach(() => place.remove());

/** A module that replaces the wall clock of a process; `shift` is a function of how often it was asked. */
function clockOf(shift: string): { NODE_OPTIONS: string } {
  const text = `const real = Date.now; let asked = 0; const shift = ${shift}; Date.now = () => real() + shift(asked++);`;
  return { NODE_OPTIONS: `--import file://${place.write('clock.mjs', text)}` };
}

const rows = () => place.query('lake.duckdb', 'SELECT count(*)::int, count(DISTINCT id)::int FROM rows');

it(
  'that jumps all the time',
  async () => {
    const env = clockOf('(asked) => [0, 3_600_000, -3_600_000][Math.floor(asked / 3) % 3]');
    const exit = await place.sluice(['run', job], { env });
    expect(exit.code, exit.stderr).toBe(0);
    const { status, rows: read } = resultOf(exit.stdout);
    expect({ status, read }).toEqual({ status: 'succeeded', read: ROWS });
    expect(await rows()).toEqual([[ROWS, ROWS]]);
  },
  2 * MINUTE,
);

it(
  'that was ahead in a run that died, and behind in the next',
  async () => {
    await killAt(
      {
        command: process.execPath,
        args: [SLUICE, 'run', job],
        cwd: place.folder,
        env: clockOf('() => 3_600_000'),
      },
      'commit.before-ledger@3',
    );
    const exit = await place.sluice(['run', job], { env: clockOf('() => -3_600_000') });
    expect(exit.code, exit.stderr).toBe(0);
    expect(await rows()).toEqual([[ROWS, ROWS]]);
  },
  2 * MINUTE,
);
