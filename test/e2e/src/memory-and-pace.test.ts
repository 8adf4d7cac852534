/** What a job says about memory and pace, on real runs. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

const generated = {
  name: 'made',
  source: { connector: 'generate', rows: 600, splitRows: 200 },
  sink: { connector: 'file', path: 'out', format: 'jsonl' },
  write: 'replace',
};

it('a rate holds for all lanes together: 600 rows at 200 a second take no less than two seconds', async () => {
  place.job('job.json', { ...generated, rate: { rows: '200/s' }, parallel: 3 });
  const exit = await place.sluice(['run', 'job.json']);
  expect(exit.code, exit.stderr).toBe(0);
  const { startedAt, endedAt, rows } = resultOf(exit.stdout);
  expect(rows).toBe(600);
  // Each lane's last batch is paid for before its last checkpoint: the third lane waits three seconds.
  expect(endedAt - startedAt).toBeGreaterThanOrEqual(1900);
});

it('a flow has a rate of its own', async () => {
  place.job('job.json', {
    name: 'made',
    connections: { made: { connector: 'generate', rows: 300 }, out: generated.sink },
    flows: {
      main: { source: 'made', rate: { bytes: '20kB/s' }, sinks: { out: { to: 'out', write: 'replace' } } },
    },
  });
  const exit = await place.sluice(['run', 'job.json']);
  expect(exit.code, exit.stderr).toBe(0);
  const { startedAt, endedAt, bytes } = resultOf(exit.stdout);
  expect(bytes).toBeGreaterThan(30_000);
  expect(endedAt - startedAt).toBeGreaterThanOrEqual((bytes / 20_000 - 1) * 1000);
});

it('a stop does not wait for a slow pace', async () => {
  place.job('job.json', { ...generated, rate: { rows: '1/h' }, parallel: 1 });
  const run = place.start(['run', 'job.json', '--json']);
  await run.until((stdout) => stdout.includes('"stream.progress"'));
  run.signal('SIGINT');
  expect((await run.ended).code).toBe(130);
  expect(resultOf(run.stdout)).toMatchObject({ status: 'stopped', rows: 1 });
});

it('a row that is larger than the memory for batches ends the run, and the rows of others are no less', async () => {
  const long = 'x'.repeat(3 << 20);
  place.write('notes.jsonl', `{"id":1,"text":"short"}\n{"id":2,"text":"${long}"}\n`);
  place.job('job.json', {
    name: 'notes',
    source: { connector: 'file', path: 'notes.jsonl' },
    sink: { connector: 'file', path: 'out', format: 'jsonl' },
    write: 'replace',
  });
  const little = await place.sluice(['run', 'job.json', '--memory', '4MB']);
  expect([little.code, resultOf(little.stdout).error?.code]).toEqual([5, 'SLUICE-CORE-0114']);
  const enough = await place.sluice(['run', 'job.json', '--memory', '16MB']);
  expect(enough.code, enough.stderr).toBe(0);
  const rows = place.linesBelow('out', '.jsonl').map((line) => JSON.parse(line) as { text: string });
  expect(rows.map(({ text }) => text.length)).toEqual([5, long.length]);
});
