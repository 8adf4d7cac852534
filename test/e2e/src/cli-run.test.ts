/** `sluice run` on real files: what ends up in the target, and what programs and people are told. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventsOf, lines, resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

const CSV =
  'id,name,at\n1,Ann,2024-02-29T10:00:00Z\n2,"Bo, jr",2024-03-01T00:00:00Z\n3,,2024-03-02T00:00:00Z\n';

function csvToDuckdb(more: { [key: string]: unknown } = {}) {
  place.write('people.csv', CSV);
  const job = {
    name: 'people',
    source: { connector: 'file', path: 'people.csv' },
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
  };
  return place.job('job.json', { ...job, ...more });
}

describe('a run', () => {
  it('moves generated rows into files', async () => {
    place.job('job.json', {
      name: 'made',
      source: { connector: 'generate', rows: 2500, splitRows: 1000 },
      sink: { connector: 'file', path: 'out', format: 'jsonl' },
      write: 'replace',
    });
    const exit = await place.sluice(['run', 'job.json']);
    expect(exit.code, exit.stderr).toBe(0);
    const rows = place.linesBelow('out', '.jsonl').map((line) => JSON.parse(line) as { id: number });
    expect(rows.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 2500 }, (_, i) => i + 1),
    );
    expect(resultOf(exit.stdout)).toMatchObject({
      job: 'made',
      status: 'succeeded',
      rows: 2500,
      streams: [{ stream: 'rows', read: 2500, committed: 2500, complete: true, guarantee: 'exactly once' }],
    });
  });

  it('moves a CSV file into DuckDB, and the same rows again on the second run', async () => {
    csvToDuckdb();
    for (let run = 1; run <= 2; run++) {
      const exit = await place.sluice(['run', 'job.json']);
      expect(exit.code, exit.stderr).toBe(0);
      const rows = await place.query(
        'lake.duckdb',
        'SELECT id, name, epoch("at")::BIGINT FROM people ORDER BY id',
      );
      expect(rows.map(String)).toEqual(['1,Ann,1709200800', '2,Bo, jr,1709251200', '3,,1709337600']);
    }
  });

  it('keeps its state beside the job, wherever it is started from', async () => {
    csvToDuckdb();
    place.write('elsewhere/x', '');
    const exit = await place.sluice(['run', '../job.json'].map((word) => word.replace('..', place.folder)));
    expect(exit.code, exit.stderr).toBe(0);
    expect(existsSync(place.path('.sluice/state.db'))).toBe(true);
    const other = await place.sluice(['run', 'job.json', '--state', 'other/ledger.db', '--full-refresh']);
    expect(other.code, other.stderr).toBe(0);
    expect(existsSync(place.path('other/ledger.db'))).toBe(true);
  });

  it('gives the same rows on every rung', async () => {
    csvToDuckdb();
    const dumps: unknown[] = [];
    for (const more of [
      [],
      ['--rung', 'columns'],
      ['--rung', 'rows', '--memory', '64MB', '--parallel', '1'],
    ]) {
      const exit = await place.sluice(['run', 'job.json', ...more]);
      expect(exit.code, exit.stderr).toBe(0);
      dumps.push(await place.query('lake.duckdb', 'SELECT * FROM people ORDER BY id'));
    }
    expect(dumps[1]).toEqual(dumps[0]);
    expect(dumps[2]).toEqual(dumps[0]);
  });

  it('runs only the streams that are asked for', async () => {
    place.write('in/a.csv', 'x\n1\n');
    place.write('in/b.csv', 'y\n2\n');
    const source = { connector: 'file', path: 'in' };
    place.job('job.json', { name: 'both', source, sink: { connector: 'duckdb', path: 'lake.duckdb' } });
    const exit = await place.sluice(['run', 'job.json', '--streams', 'b']);
    expect(exit.code, exit.stderr).toBe(0);
    expect(
      await place.query(
        'lake.duckdb',
        "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('a', 'b')",
      ),
    ).toEqual([['b']]);
    const none = await place.sluice(['run', 'job.json', '--streams', 'c']);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('there are a, b');
  });
});

describe('what programs get', () => {
  it('is one event a line with --json, the result last, and logs as JSON on stderr', async () => {
    csvToDuckdb();
    const exit = await place.sluice(['run', 'job.json', '--json']);
    expect(exit.code, exit.stderr).toBe(0);
    const events = eventsOf(exit.stdout);
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        'run.started',
        'stream.started',
        'epoch.committed',
        'stream.published',
        'run.ended',
      ]),
    );
    expect(events.at(-2)).toMatchObject({ event: 'run.ended', result: { status: 'succeeded', rows: 3 } });
    expect(events.at(-1)).toMatchObject({ event: 'result', status: 'succeeded', rows: 3 });
    const runs = new Set(events.map(({ run }) => run));
    expect(runs.size).toBe(1);
    for (const line of lines(exit.stderr)) expect(JSON.parse(line)).toHaveProperty('level');
  });

  it('is the result as the last line, and as a file, also of a run that failed', async () => {
    csvToDuckdb();
    const good = await place.sluice(['run', 'job.json', '--result-file', 'result.json', '--quiet']);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(lines(good.stdout)).toHaveLength(1);
    expect(JSON.parse(place.read('result.json'))).toEqual(resultOf(good.stdout));

    place.write('people.csv', 'id,name,at\n1,"Ann,2024\n');
    const bad = await place.sluice(['run', 'job.json', '--result-file', 'result.json', '--quiet']);
    expect(bad.code).toBe(5);
    const result = resultOf(bad.stdout);
    expect(result).toMatchObject({
      status: 'failed',
      error: { class: 'data', code: expect.stringMatching(/^SLUICE-CSV-/) },
    });
    expect(JSON.parse(place.read('result.json'))).toEqual(result);
  });

  it('is refused before anything runs when the result file could not be written', async () => {
    csvToDuckdb();
    const exit = await place.sluice(['run', 'job.json', '--result-file', 'nowhere/result.json']);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain('SLUICE-CLI-0002');
    expect(existsSync(place.path('lake.duckdb'))).toBe(false);
  });

  it('does not end the run when it stops listening', async () => {
    csvToDuckdb();
    const job = {
      name: 'many',
      source: { connector: 'generate', rows: 300_000 },
      sink: { connector: 'duckdb', path: 'many.duckdb' },
    };
    place.job('many.json', { ...job, delivery: { commit: { rows: 10_000 } } });
    const running = place.start(['run', 'many.json', '--json']);
    await running.until((stdout) => stdout.includes('run.started'));
    running.stopListening();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(await place.query('many.duckdb', 'SELECT count(*)::INTEGER FROM rows')).toEqual([[300_000]]);
  });
});

describe('what people get', () => {
  it('are plain lines where there is no terminal, without colours', async () => {
    csvToDuckdb();
    const exit = await place.sluice(['run', 'job.json']);
    expect(exit.stderr).toMatch(/^\d{4}-\d\d-\d\dT\S+ info {2}run of people began/m);
    expect(exit.stderr).toMatch(/info {2}stream people → \S*people is complete/);
    expect(exit.stderr).not.toContain('\u001b');
  });

  it('are colours only when they are forced, and never against NO_COLOR', async () => {
    csvToDuckdb();
    const forced = await place.sluice(['plan', 'job.json'], { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001b[');
    const forbidden = await place.sluice(['plan', 'job.json'], { env: { NO_COLOR: '1' } });
    expect(forbidden.stdout).not.toContain('\u001b');
    expect(lines(forbidden.stdout)[0]).toContain('people, flow main: source (file) → sink (duckdb)');
  });
});
