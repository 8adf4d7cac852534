/** Stopping a run, and two runs of one job at once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Running, resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

const ROWS = 40_000;

/** A run of some seconds that commits many times. */
function slowJob() {
  return place.job('slow.json', {
    name: 'slow',
    source: { connector: 'generate', rows: ROWS, rate: 8000 },
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
    write: 'append',
    delivery: { commit: { every: '100ms', rows: 1000 } },
  });
}

async function commits(running: Running, atLeast: number): Promise<void> {
  await running.until((stdout) => stdout.split('"epoch.committed"').length > atLeast);
}

async function expectAllRowsOnce(): Promise<void> {
  const sql = 'SELECT count(*)::INTEGER, count(DISTINCT id)::INTEGER, max(id)::INTEGER FROM rows';
  expect(await place.query('lake.duckdb', sql)).toEqual([[ROWS, ROWS, ROWS]]);
}

describe.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s', (signal, code) => {
  it('commits what is complete and leaves; the next run goes on from there', async () => {
    slowJob();
    const running = place.start(['run', 'slow.json', '--json']);
    await commits(running, 2);
    running.signal(signal);
    expect(await running.ended, running.stderr).toEqual({ code, signal: null });
    const result = resultOf(running.stdout);
    expect(result.status).toBe('stopped');
    expect(result.rows).toBeGreaterThan(0);
    expect(result.rows).toBeLessThan(ROWS);
    expect(result.streams[0]).toMatchObject({ complete: false });
    expect(running.stderr).toContain(signal);

    const next = await place.sluice(['run', 'slow.json']);
    expect(next.code, next.stderr).toBe(0);
    const rest = resultOf(next.stdout);
    expect(rest.rows).toBe(ROWS - result.rows);
    await expectAllRowsOnce();
  });
});

it('a second signal ends the run at once, and nothing is lost', async () => {
  slowJob();
  const running = place.start(['run', 'slow.json', '--json']);
  await commits(running, 2);
  running.signal('SIGTERM');
  running.signal('SIGINT');
  const asked = Date.now();
  const { code } = await running.ended;
  expect([130, 143]).toContain(code);
  expect(Date.now() - asked).toBeLessThan(5000);
  const next = await place.sluice(['run', 'slow.json']);
  expect(next.code, next.stderr).toBe(0);
  await expectAllRowsOnce();
});

it('a signal before anything runs ends the process with its code', async () => {
  place.job('deaf.json', {
    name: 'deaf',
    source: { connector: './deaf.mjs' },
    sink: { connector: 'blackhole' },
  });
  place.write('deaf.mjs', DEAF);
  const running = place.start(['run', 'deaf.json', '--json']);
  await running.until((stdout) => stdout.includes('discovering'));
  running.signal('SIGINT');
  expect(await running.ended).toEqual({ code: 130, signal: null });
});

/** A connector whose discovery never ends. */
const DEAF = `export default {
  name: 'deaf', title: 'Deaf', config: { safeParse: (data) => ({ success: true, data }), _zod: { def: { type: 'object', shape: {} } } },
  source: { create: () => ({
    capabilities: { replay: true, modes: ['full'], incremental: 'none', before: false },
    discover: () => { console.log('discovering'); return new Promise((resolve) => setTimeout(resolve, 60_000)); },
  }) },
};
`;

it('a job that is held ends with 75 and names the holder; the holder is not disturbed', async () => {
  slowJob();
  const running = place.start(['run', 'slow.json', '--json']);
  await commits(running, 1);
  const second = await place.sluice(['run', 'slow.json']);
  expect(second.code).toBe(75);
  expect(second.stderr).toContain('SLUICE-CORE-0101');
  expect(second.stderr).toContain(String(running.pid));
  expect(resultOf(second.stdout)).toMatchObject({ status: 'failed', error: { code: 'SLUICE-CORE-0101' } });
  const held = await place.sluice(['state', 'show', 'slow', '--json']);
  expect(JSON.parse(held.stdout)).toMatchObject({ held: { pid: running.pid } });
  expect(await running.ended, running.stderr).toEqual({ code: 0, signal: null });
  await expectAllRowsOnce();
});
