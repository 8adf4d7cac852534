/** State that is set back, forked, taken elsewhere and adopted: the runs after it end in equal data, also after kills. */
import { rmSync } from 'node:fs';
import {
  describeWithServer,
  dumpDuckdb,
  dumpPostgres,
  type Exit,
  expectSameRows,
  killAt,
  type Program,
} from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const LEDGER = 'state/state.db';
const SELECT = 'SELECT id::text AS id, v FROM';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

function lineOf(id: number, v: string): string {
  return `${JSON.stringify({ id, v })}\n`;
}

/** The id of the last run. */
async function lastRun(): Promise<string> {
  const shown = await ok('state', 'show', 'events', '--json');
  return (JSON.parse(shown.stdout) as { runs: { run: string }[] }).runs[0]!.run;
}

async function ok(...args: string[]): Promise<Exit> {
  const exit = await place.sluice([...args, '--state', LEDGER]);
  expect(exit.code, exit.stderr).toBe(0);
  return exit;
}

async function refused(code: string, ...args: string[]): Promise<string> {
  const exit = await place.sluice([...args, '--state', LEDGER]);
  expect(exit.code, exit.stdout).not.toBe(0);
  expect(exit.stderr).toContain(code);
  return exit.stderr.replace(/\s+/g, ' ');
}

function program(...args: string[]): Program {
  const env = { NO_COLOR: '1' };
  return { command: process.execPath, args: [SLUICE, ...args, '--state', LEDGER], cwd: place.folder, env };
}

describeWithServer('postgres-15', (server) => {
  let url: string;

  beforeEach(async () => {
    url = await server().createDatabase();
    place.write('inbox/1.jsonl', lineOf(1, 'a') + lineOf(2, 'b'));
    place.job('events.json', jobOf('events'));
  });

  /** Files by increments into a DuckDB file and a Postgres database, by key. */
  function jobOf(name: string, more: { url?: string; path?: string } = {}) {
    return {
      name,
      connections: {
        inbox: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
        lake: { connector: 'duckdb', path: more.path ?? 'lake.duckdb' },
        crm: { connector: 'postgres', url: more.url ?? url },
      },
      flows: {
        main: {
          source: 'inbox',
          mode: 'incremental',
          streams: { events: { key: ['id'] } },
          sinks: {
            lake: { to: 'lake', name: 'main.events', write: 'upsert' },
            crm: { to: 'crm', name: 'public.events', write: 'upsert' },
          },
        },
      },
      delivery: { require: 'exactly-once' },
      // One file after the other: both hold rows of one key, and the later one's stay.
      parallel: 1,
    };
  }

  async function expectBoth(...rows: string[]): Promise<void> {
    const lake = await dumpDuckdb(place.path('lake.duckdb'), `${SELECT} main.events`);
    const crm = await dumpPostgres(url, `${SELECT} public.events`);
    expectSameRows(lake, crm, { expected: 'lake', actual: 'crm' });
    const told = await server().psql('SELECT id || v FROM public.events ORDER BY id', url);
    expect(lines(told)).toEqual(rows);
  }

  /** Two runs, a file each; the id of the first one. */
  async function twoRuns(): Promise<string> {
    await ok('run', 'events.json', '--quiet');
    const first = await lastRun();
    place.write('inbox/2.jsonl', lineOf(2, 'B') + lineOf(3, 'c'));
    await ok('run', 'events.json', '--quiet');
    await expectBoth('1a', '2B', '3c');
    return first;
  }

  /** Rows that only the part behind the first run brings back. */
  async function lose(): Promise<void> {
    await server().psql("DELETE FROM public.events WHERE v IN ('B', 'c')", url);
  }

  const rewind = (to: string) => ['state', 'rewind', 'events.json', '--to', to, '--yes'];

  it(
    'rewind: the next run reads exactly what came since, and ends in the same rows',
    async () => {
      const first = await twoRuns();
      const would = await ok('state', 'rewind', 'events.json', '--to', first);
      expect(would.stdout).toContain('would set 2 parts of job events back');
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).rows).toBe(0);
      await lose();
      await ok(...rewind(first));
      const again = await ok(...rewind(first));
      expect(again.stdout).toContain('set 0 parts');
      const next = resultOf((await ok('run', 'events.json', '--quiet')).stdout);
      expect(next.streams.map(({ read, generation }) => [read, generation])).toEqual([
        [2, 2],
        [2, 2],
      ]);
      await expectBoth('1a', '2B', '3c');
      await ok(...rewind('start'));
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(4);
      await expectBoth('1a', '2B', '3c');
    },
    2 * MINUTES,
  );

  it.each(['attach.after', 'settle.after-adopt', 'rewind.before-ledger', 'rewind.after-ledger'])(
    'rewind, killed at %s: the same command and a run end in the same rows',
    async (point) => {
      const first = await twoRuns();
      await lose();
      await killAt(program(...rewind(first)), point);
      await ok(...rewind(first));
      await killAt(program('run', 'events.json', '--quiet'), 'prepare.after-adopt');
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(2);
      await expectBoth('1a', '2B', '3c');
    },
    2 * MINUTES,
  );

  it(
    'a ledger from before a rewind that has been run on is no harm',
    async () => {
      const first = await twoRuns();
      const before = await ok('state', 'export', 'events');
      await ok(...rewind(first));
      await ok('run', 'events.json', '--quiet');
      rmSync(place.path('state'), { recursive: true });
      place.write('kept.json', before.stdout);
      await ok('state', 'import', 'events.json', 'kept.json');
      place.write('inbox/3.jsonl', lineOf(4, 'd'));
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(1);
      await expectBoth('1a', '2B', '3c', '4d');
    },
    2 * MINUTES,
  );

  it(
    'import does not overwrite, and knows job and systems; the same import twice is one',
    async () => {
      await twoRuns();
      await ok('state', 'export', 'events', '--out', 'kept.json');
      await ok('state', 'import', 'events.json', 'kept.json');
      place.write('inbox/3.jsonl', lineOf(4, 'd'));
      await ok('run', 'events.json', '--quiet');
      await refused('SLUICE-CORE-0132', 'state', 'import', 'events.json', 'kept.json');
      rmSync(place.path('state'), { recursive: true });
      place.job('other.json', jobOf('other'));
      await refused('SLUICE-CORE-0133', 'state', 'import', 'other.json', 'kept.json');
      place.job('moved.json', jobOf('events', { url: await server().createDatabase() }));
      await refused('SLUICE-CORE-0105', 'state', 'import', 'moved.json', 'kept.json');
      place.write('broken.json', place.read('kept.json').replace('"epoch": 1', '"epoch": -1'));
      await refused('SLUICE-CORE-0133', 'state', 'import', 'events.json', 'broken.json');
    },
    2 * MINUTES,
  );

  const fork = ['state', 'fork', 'events', 'renamed.json'];

  it.each([undefined, 'fork.before-ledger', 'fork.after-ledger', 'fork.after-sink'])(
    'fork, killed at %s: the job goes on under its new name, and the old one where it was',
    async (point) => {
      await twoRuns();
      place.job('renamed.json', jobOf('renamed'));
      if (point !== undefined) await killAt(program(...fork), point);
      await ok(...fork);
      place.write('inbox/3.jsonl', lineOf(4, 'd'));
      expect(resultOf((await ok('run', 'renamed.json', '--quiet')).stdout).streams[0]!.read).toBe(1);
      await expectBoth('1a', '2B', '3c', '4d');
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(1);
      await expectBoth('1a', '2B', '3c', '4d');
      await refused('SLUICE-CORE-0132', ...fork);
    },
    2 * MINUTES,
  );

  const adopt = ['state', 'adopt', 'events.json'];

  it.each([undefined, 'adopt.after-sink', 'adopt.before-ledger', 'adopt.after-ledger'])(
    'adopt, killed at %s: a sink that lost its record gets it back, and nothing is read twice',
    async (point) => {
      await twoRuns();
      await server().psql('DROP TABLE _sluice_jobs, _sluice_streams, _sluice_commits', url);
      const told = await refused('SLUICE-CORE-0106', 'run', 'events.json', '--quiet');
      expect(told).toContain('sluice state adopt');
      if (point !== undefined) await killAt(program(...adopt), point);
      await ok(...adopt);
      place.write('inbox/3.jsonl', lineOf(4, 'd'));
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(1);
      await expectBoth('1a', '2B', '3c', '4d');
    },
    2 * MINUTES,
  );

  it(
    'adopt: the target has moved to another server',
    async () => {
      await twoRuns();
      const moved = await server().createDatabase();
      await server().psql('CREATE TABLE public.events (id bigint PRIMARY KEY, v text)', moved);
      await server().psql("INSERT INTO public.events VALUES (1, 'a'), (2, 'B'), (3, 'c')", moved);
      url = moved;
      place.job('events.json', jobOf('events'));
      expect(await refused('SLUICE-CORE-0105', 'run', 'events.json', '--quiet')).toContain('state adopt');
      await ok(...adopt);
      place.write('inbox/3.jsonl', lineOf(4, 'd'));
      expect(resultOf((await ok('run', 'events.json', '--quiet')).stdout).streams[0]!.read).toBe(1);
      await expectBoth('1a', '2B', '3c', '4d');
    },
    2 * MINUTES,
  );

  it(
    'adopt: a ledger that was lost has the sinks’ state without a run',
    async () => {
      await twoRuns();
      rmSync(place.path('state'), { recursive: true });
      await ok(...adopt);
      const told = JSON.parse((await ok('state', 'show', 'events.json', '--json')).stdout);
      expect(told).toMatchObject({ runs: [], sinks: [{ splits: [{ sealed: true }, { sealed: true }] }, {}] });
    },
    2 * MINUTES,
  );
});

describe('files that are appended to', () => {
  const args = ['state', 'rewind', 'copy.json', '--to', 'start', '--yes'];

  it(
    'are set back only where rows may be repeated, and full copies never',
    async () => {
      const job = {
        name: 'copy',
        source: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
        sink: { connector: 'file', path: 'out', format: 'jsonl' },
      };
      place.write('inbox/1.jsonl', lineOf(1, 'a'));
      place.job('copy.json', { ...job, mode: 'incremental', write: 'append' });
      await ok('run', 'copy.json', '--quiet');
      await refused('SLUICE-CORE-0131', ...args);
      expect(resultOf((await ok('run', 'copy.json', '--quiet')).stdout).rows).toBe(0);
      await ok(...args, '--repeat-rows');
      await ok('run', 'copy.json', '--quiet');
      expect(place.linesBelow('out', '.jsonl')).toEqual([lineOf(1, 'a').trim(), lineOf(1, 'a').trim()]);
      place.job('copy.json', { ...job, name: 'whole', mode: 'full', write: 'replace' });
      await ok('run', 'copy.json', '--quiet');
      expect(await refused('SLUICE-CORE-0130', ...args)).toContain('--full-refresh');
    },
    2 * MINUTES,
  );

  it('points of history that mean nothing are refused with what would', async () => {
    place.write('inbox/1.jsonl', lineOf(1, 'a'));
    place.job('copy.json', {
      name: 'copy',
      source: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
      mode: 'incremental',
      sink: { connector: 'file', path: 'out', format: 'jsonl' },
    });
    await ok('run', 'copy.json', '--quiet');
    for (const point of ['yesterday', '1', '2026-99-99']) {
      await refused(`"${point}" is no point`, 'state', 'diff', 'copy', point);
    }
    const { stdout } = await ok('state', 'diff', 'copy', 'start', 'now', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ parts: [{ rows: 1, to: { epoch: 1, sealed: true } }] });
  });
});
