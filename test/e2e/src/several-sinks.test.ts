/** One flow, several sinks: every row is read once, each sink has its own place, and one may be left behind. */
import { describeWithServer, dumpDuckdb, dumpPostgres, expectSameRows } from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf, resultOf, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const ROWS = 4000;
/** Columns as text that both databases print alike. */
const TEXT = 'id::text AS id, name, amount::text AS amount';

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;

  beforeAll(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id bigint PRIMARY KEY, name text, amount numeric(12,2));
       INSERT INTO orders SELECT g, 'order ' || g, g / 7.0 FROM generate_series(1, ${ROWS}) g;
       CREATE TABLE people (id bigint PRIMARY KEY, name text);
       INSERT INTO people SELECT g, 'person ' || g FROM generate_series(1, 300) g; ANALYZE`,
      source,
    );
  }, 3 * MINUTES);

  /** Postgres to a second database and a DuckDB file, from key ranges, in small epochs. */
  function job(name: string, crm: { url?: string; [key: string]: unknown }) {
    const { url = target, ...more } = crm;
    return {
      name,
      connections: {
        shop: { connector: 'postgres', url: source },
        lake: { connector: 'duckdb', path: `${name}.duckdb` },
        crm: { connector: 'postgres', url },
      },
      flows: {
        main: {
          source: 'shop',
          streams: { 'public.*': { source: { chunk: 'key' } } },
          sinks: {
            lake: { to: 'lake', name: 'main.{stream}', write: 'append' },
            crm: { to: 'crm', name: `${name}.{stream}`, write: 'append', ...more },
          },
        },
      },
      delivery: { require: 'exactly-once', commit: { rows: 500 } },
    };
  }

  async function expectEqual(name: string, rows: number): Promise<void> {
    const wanted = await dumpPostgres(source, `SELECT ${TEXT} FROM orders`);
    expect(wanted.rows).toHaveLength(rows);
    const inLake = await dumpDuckdb(place.path(`${name}.duckdb`), `SELECT ${TEXT} FROM main.orders`);
    expectSameRows(wanted, inLake, { expected: 'source', actual: 'lake' });
    const inCrm = await dumpPostgres(target, `SELECT ${TEXT} FROM ${name}.orders`);
    expectSameRows(wanted, inCrm, { expected: 'source', actual: 'crm' });
  }

  it(
    'all get the same rows, and only the streams that they take',
    async () => {
      place.job('pair.json', job('pair', { only: ['*.orders'] }));
      const exit = await place.sluice(['run', 'pair.json', '--json']);
      expect(exit.code, exit.stderr).toBe(0);
      await expectEqual('pair', ROWS);
      const { streams, rows } = resultOf(exit.stdout);
      expect(streams.map(({ stream, sink, committed }) => [stream, sink, committed])).toEqual([
        ['public.orders', 'lake', ROWS],
        ['public.orders', 'crm', ROWS],
        ['public.people', 'lake', 300],
      ]);
      expect(rows).toBe(2 * ROWS + 300);
      const commits = eventsOf(exit.stdout).filter((event) => event.event === 'epoch.committed');
      expect(new Set(commits.map((event) => 'sink' in event && event.sink))).toEqual(
        new Set(['lake', 'crm']),
      );
    },
    2 * MINUTES,
  );

  it(
    'one that breaks is left behind where it stood, and caught up alone',
    async () => {
      place.job('behind.json', job('behind', { onFailure: 'detach', only: ['*.orders'] }));
      await server().psql(
        `CREATE SCHEMA behind; CREATE TABLE behind.orders (id bigint PRIMARY KEY, name text, amount numeric(12,2),
           CONSTRAINT closed CHECK (id < 1200))`,
        target,
      );
      const first = await place.sluice(['run', 'behind.json', '--json']);
      expect(first.code, first.stderr).toBe(0);
      const result = resultOf(first.stdout);
      expect(result.status).toBe('succeeded');
      expect(result.detached).toMatchObject([{ sink: 'crm', error: { class: 'data' } }]);
      expect(result.streams).toMatchObject([
        { stream: 'public.orders', sink: 'lake', complete: true, committed: ROWS },
        { stream: 'public.orders', sink: 'crm', complete: false },
        { stream: 'public.people', sink: 'lake', complete: true },
      ]);
      expect(eventsOf(first.stdout)).toContainEqual(
        expect.objectContaining({ event: 'sink.detached', sink: 'crm' }),
      );
      const kept = await dumpPostgres(target, 'SELECT id FROM behind.orders');
      expect(kept.rows.length).toBeLessThan(1200);

      await server().psql('ALTER TABLE behind.orders DROP CONSTRAINT closed', target);
      const second = await place.sluice(['run', 'behind.json', '--json']);
      expect(second.code, second.stderr).toBe(0);
      expect(resultOf(second.stdout).detached).toBeUndefined();
      const [lake, crm] = resultOf(second.stdout).streams;
      expect(lake).toMatchObject({ sink: 'lake', read: 0, complete: true });
      expect(crm).toMatchObject({ sink: 'crm', complete: true, committed: ROWS - kept.rows.length });
      await expectEqual('behind', ROWS);
      const third = await place.sluice(['run', 'behind.json', '--json']);
      expect(resultOf(third.stdout)).toMatchObject({ error: { code: 'SLUICE-CORE-0108' } });
    },
    2 * MINUTES,
  );

  it(
    'one that cannot be reached when the run begins is left out of it',
    async () => {
      const unreachable = 'postgres://nobody@127.0.0.1:1/none?connect_timeout=1';
      const only = ['*.orders'];
      place.job('absent.json', job('absent', { url: unreachable, onFailure: 'detach', only }));
      const plan = await place.sluice(['plan', 'absent.json']);
      expect(plan.stdout).toContain('crm is left behind');
      const first = await place.sluice(['run', 'absent.json', '--json']);
      expect(first.code, first.stderr).toBe(0);
      expect(resultOf(first.stdout).detached).toMatchObject([{ sink: 'crm' }]);

      const required = job('absent', { url: unreachable, only });
      place.job('required.json', { ...required, name: 'required' });
      const refused = await place.sluice(['run', 'required.json', '--json']);
      expect(refused.code).toBe(75);
    },
    2 * MINUTES,
  );
});
