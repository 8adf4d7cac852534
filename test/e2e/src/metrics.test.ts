/** `--metrics-port` and `--metrics-file` of real runs. */
import { metricsProblems, needsPromtool } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

function job(rows: number): void {
  place.job('job.json', {
    name: 'made',
    source: { connector: 'generate', rows },
    sink: { connector: 'file', path: 'out', format: 'jsonl' },
    write: 'replace',
  });
}

const COMMITTED = 'sluice_rows_committed_total{job_name="made",flow="main",stream="rows",sink="main"} ';

it('a file holds the figures of the run when it has ended', async () => {
  job(2500);
  const exit = await place.sluice(['run', 'job.json', '--metrics-file', 'made.prom']);
  expect(exit.code, exit.stderr).toBe(0);
  const text = place.read('made.prom');
  expect(text).toContain(`\n${COMMITTED}2500\n`);
  expect(text).toContain('\nsluice_run_status{job_name="made",status="succeeded"} 1\n');
});

it('a file says so when the run could not begin', async () => {
  place.job('job.json', {
    name: 'made',
    source: { connector: 'file', path: 'missing.csv' },
    sink: { connector: 'file', path: 'out', format: 'jsonl' },
  });
  const exit = await place.sluice(['run', 'job.json', '--metrics-file', 'made.prom']);
  expect(exit.code).not.toBe(0);
  expect(place.read('made.prom')).toContain('\nsluice_run_status{job_name="made",status="failed"} 1\n');
});

it('a port is served while the run lasts', async () => {
  job(20_000_000);
  const run = place.start(['run', 'job.json', '--metrics-port', '0', '--json']);
  await run.until((stdout) => stdout.includes('"stream.progress"'));
  const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(run.stderr)?.[0];
  const text = await (await fetch(url!)).text();
  expect(text).toContain('\nsluice_run_status{job_name="made",status="running"} 1\n');
  expect(Number(/\nsluice_rows_read_total{[^}]*} (\d+)\n/.exec(text)?.[1])).toBeGreaterThan(0);
  run.signal('SIGINT');
  run.signal('SIGINT');
  await run.ended;
  await expect(fetch(url!)).rejects.toThrow();
});

it('a place that cannot be used is told before anything runs', async () => {
  job(1);
  const file = await place.sluice(['run', 'job.json', '--metrics-file', 'nowhere/made.prom']);
  expect([file.code, file.stderr.includes('SLUICE-CLI-0002')]).toEqual([2, true]);
  const port = await place.sluice(['run', 'job.json', '--metrics-port', '70000']);
  expect([port.code, port.stderr.includes('SLUICE-CLI-0001')]).toEqual([2, true]);
  const host = await place.sluice(['run', 'job.json', '--metrics-host', '127.0.0.1']);
  expect([host.code, host.stderr.includes('SLUICE-CLI-0001')]).toEqual([2, true]);
});

describe('promtool, as Prometheus reads metrics,', () => {
  needsPromtool();

  it('finds nothing to say of a file, whatever the names in it', async () => {
    place.write('in/a "b" \\ é.jsonl', '{"id":1,"n":"x"}\n{"id":2,"n":"3"}\n');
    place.job('job.json', {
      name: 'made',
      source: { connector: 'file', path: 'in' },
      transforms: [{ use: 'cast', columns: { n: 'int32' } }],
      sink: { connector: 'file', path: 'out/', format: 'jsonl' },
      errors: { max: 1 },
    });
    const exit = await place.sluice(['run', 'job.json', '--metrics-file', 'made.prom']);
    expect(exit.code, exit.stderr).toBe(0);
    const text = place.read('made.prom');
    expect(text).toContain('status="succeeded"} 1');
    expect(await metricsProblems(text)).toBe('');
  });

  it('finds nothing to say of a port while the run lasts', async () => {
    job(20_000_000);
    const run = place.start(['run', 'job.json', '--metrics-port', '0', '--json']);
    await run.until((stdout) => stdout.includes('"stream.progress"'));
    const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(run.stderr)?.[0];
    const text = await (await fetch(url!)).text();
    run.signal('SIGKILL');
    await run.ended;
    expect(text).toContain('status="running"} 1');
    expect(await metricsProblems(text)).toBe('');
  });

  it('does find what is wrong', async () => {
    expect(await metricsProblems('# TYPE rows counter\nrows 1\n')).toContain('"_total" suffix');
    expect(await metricsProblems('rows{ 1\n')).toContain('error');
  });
});
