/** A job's traces are removed from its sinks, also after kills; the rows stay, and the job may begin anew. */
import { describeWithServer, dumpDuckdb, killAt, listFailpoints, type Program } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const LEDGER = 'state/state.db';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
  place.write('inbox/1.jsonl', '{"id": 1, "v": "a"}\n{"id": 2, "v": "b"}\n');
});
afterEach(() => place.remove());

function program(...args: string[]): Program {
  const env = { NO_COLOR: '1' };
  return { command: process.execPath, args: [SLUICE, ...args, '--state', LEDGER], cwd: place.folder, env };
}

async function sluice(...args: string[]) {
  return place.sluice([...args, '--state', LEDGER]);
}

async function ok(...args: string[]): Promise<string> {
  const exit = await sluice(...args);
  expect(exit.code, exit.stderr).toBe(0);
  return exit.stdout;
}

describeWithServer('postgres-15', (server) => {
  let url: string;

  beforeEach(async () => {
    url = await server().createDatabase();
    place.job('events.json', jobOf('events'));
  });

  /** A folder of files into a DuckDB file, a Postgres database and files. */
  function jobOf(name: string) {
    return {
      name,
      connections: {
        inbox: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
        crm: { connector: 'postgres', url },
        out: { connector: 'file', path: 'out', format: 'jsonl' },
      },
      flows: {
        main: {
          source: 'inbox',
          sinks: {
            lake: { to: 'lake', name: `main.${name}`, write: 'replace' },
            crm: { to: 'crm', name: `public.${name}`, write: 'replace' },
            out: { to: 'out', name, write: 'replace' },
          },
        },
      },
    };
  }

  /** Names of everything that begins as ours do, in both databases and the folder. */
  async function traces(): Promise<string[]> {
    const own = (column: string) => `SELECT ${column} AS name FROM`;
    const pg = await server().psql(
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '\\_sluice%' ORDER BY 1",
      url,
    );
    const lake = await place.query(
      'lake.duckdb',
      `${own('table_name')} duckdb_tables() WHERE table_name LIKE '\\_sluice%' ESCAPE '\\' ORDER BY 1`,
    );
    return [
      ...lines(pg),
      ...lake.flat().map(String),
      ...(place.exists('out/.sluice') ? ['out/.sluice'] : []),
    ];
  }

  async function expectRows(name: string, ...rows: string[]): Promise<void> {
    expect(lines(await server().psql(`SELECT id || v FROM public.${name} ORDER BY id`, url))).toEqual(rows);
    const lake = await dumpDuckdb(
      place.path('lake.duckdb'),
      `SELECT id || v AS v FROM main.${name} ORDER BY id`,
    );
    expect(JSON.stringify(lake)).toContain(rows[0]);
    const files = place.linesBelow(`out/${name}`, '.jsonl').map((line) => JSON.parse(line));
    expect(files.map(({ id, v }) => `${id}${v}`).sort()).toEqual(rows);
  }

  it(
    'says first, asks or needs --yes, leaves the rows, and the job begins anew',
    async () => {
      await ok('run', 'events.json', '--quiet');
      expect((await traces()).length).toBeGreaterThan(6);
      const said = await ok('clean', 'events.json', '--dry-run');
      expect(said).toContain('DROP TABLE "public"."_sluice_jobs"');
      expect(said).toContain('DROP TABLE main._sluice_jobs');
      expect(said).toContain('out/.sluice');
      expect((await sluice('clean', 'events.json')).code).toBe(2);
      expect((await traces()).length).toBeGreaterThan(6);
      const done = JSON.parse(await ok('clean', 'events.json', '--yes', '--json'));
      for (const { steps } of done.sinks) for (const step of steps) expect(said).toContain(step);
      expect(await traces()).toEqual([]);
      await expectRows('events', '1a', '2b');
      const lost = await sluice('run', 'events.json', '--quiet');
      expect(lost.code).toBe(4);
      expect(lost.stderr).toContain('sluice state forget');
      place.write('inbox/1.jsonl', '{"id": 1, "v": "A"}\n');
      await ok('clean', 'events.json', '--yes', '--ledger');
      expect(resultOf(await ok('run', 'events.json', '--quiet')).streams[0]).toMatchObject({ generation: 1 });
      await expectRows('events', '1A');
    },
    2 * MINUTES,
  );

  it(
    'keeps what another job has in the same places',
    async () => {
      place.job('others.json', jobOf('others'));
      await ok('run', 'events.json', '--quiet');
      await ok('run', 'others.json', '--quiet');
      const before = await traces();
      await ok('clean', 'events.json', '--yes', '--ledger');
      expect(await traces()).toEqual(before);
      expect(await server().psql('SELECT DISTINCT job FROM _sluice_jobs', url)).toBe('others/main/crm');
      expect(resultOf(await ok('run', 'others.json', '--quiet')).status).toBe('succeeded');
      await ok('clean', 'others.json', '--yes');
      expect(await traces()).toEqual([]);
    },
    2 * MINUTES,
  );

  it(
    'a full copy that was killed on its way: its staging goes, readers keep what they had',
    async () => {
      await ok('run', 'events.json', '--quiet');
      place.write('inbox/1.jsonl', '{"id": 3, "v": "c"}\n');
      await killAt(program('run', 'events.json', '--quiet'), 'publish.before');
      expect((await traces()).length).toBeGreaterThan(8);
      await ok('clean', 'events.json', '--yes');
      expect(await traces()).toEqual([]);
      await expectRows('events', '1a', '2b');
    },
    2 * MINUTES,
  );

  it(
    'killed at every step, and then again: clean',
    async () => {
      await ok('run', 'events.json', '--quiet');
      const clean = ['clean', 'events.json', '--yes', '--ledger'];
      for (const { name } of await listFailpoints(program(...clean))) {
        await ok('run', 'events.json', '--quiet');
        await killAt(program(...clean), name);
        await ok(...clean);
        expect(await traces(), name).toEqual([]);
        await expectRows('events', '1a', '2b');
      }
    },
    5 * MINUTES,
  );

  it(
    'is refused while a run is under way',
    async () => {
      place.job('slow.json', { ...jobOf('slow'), rate: { rows: '1/s' } });
      place.write(
        'inbox/1.jsonl',
        Array.from({ length: 50 }, (_, id) => `{"id": ${id}, "v": "a"}\n`).join(''),
      );
      const run = place.start(['run', 'slow.json', '--json', '--state', LEDGER]);
      await run.until((stdout) => stdout.includes('stream.started'));
      const exit = await sluice('clean', 'slow.json', '--yes');
      expect(exit.code).toBe(75);
      expect(exit.stderr).toContain('SLUICE-CORE-0101');
    },
    MINUTES,
  );
});

describe('files', () => {
  it(
    'rows that are appended after the ledger was lost, too, stand beside the older ones',
    async () => {
      place.job('log.json', {
        name: 'log',
        source: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
        sink: { connector: 'file', path: 'out', format: 'jsonl' },
        mode: 'incremental',
        write: 'append',
      });
      await place.sluice(['run', 'log.json', '--quiet', '--state', 'one.db']);
      await place.sluice(['clean', 'log.json', '--yes', '--state', 'one.db']);
      place.write('inbox/1.jsonl', '{"id": 9, "v": "z"}\n');
      await place.sluice(['run', 'log.json', '--quiet', '--state', 'two.db']);
      expect(place.linesBelow('out', '.jsonl').map((line) => JSON.parse(line).id)).toEqual(
        expect.arrayContaining([1, 2, 9]),
      );
    },
    MINUTES,
  );

  it(
    'a folder that a killed publication has put aside is put back',
    async () => {
      place.job('copy.json', {
        name: 'copy',
        source: { connector: 'file', path: 'inbox/*.jsonl', stream: 'events' },
        sink: { connector: 'file', path: 'out', format: 'jsonl' },
      });
      await ok('run', 'copy.json', '--quiet');
      place.write('inbox/1.jsonl', '{"id": 9, "v": "z"}\n');
      await killAt(program('run', 'copy.json', '--quiet'), 'file.publish.after-aside');
      expect(place.exists('out/events')).toBe(false);
      expect(await ok('clean', 'copy.json', '--yes')).toContain('out/events back');
      expect(place.exists('out/.sluice')).toBe(false);
      expect(place.linesBelow('out/events', '.jsonl')).toHaveLength(2);
    },
    MINUTES,
  );
});
