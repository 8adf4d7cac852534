/** What people get wrong around PostgreSQL: exit code, code and hint are right, and the target is as it was. */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { ConnectionSpec, FlowSpec, LongJob } from '@sluice/sdk';
import { describeWithServer, dumpDuckdb, dumpPostgres, expectSameRows } from '@sluice/test';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

const CONFIG = 2;
const AUTH = 3;
const CONTRACT = 4;
const DATA = 5;
const TEMPORARY = 75;

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

interface Settings extends Partial<Omit<LongJob, 'name' | 'connections' | 'flows'>> {
  readonly streams?: FlowSpec['streams'];
  readonly write?: 'append' | 'replace';
  readonly name?: string;
}

function jobOf(from: ConnectionSpec, to: ConnectionSpec, settings: Settings = {}): LongJob {
  const { streams = ['public.orders'], write = 'append', name = 'kept.{stream}', ...rest } = settings;
  return {
    name: 'bad',
    connections: { from, to },
    flows: { main: { source: 'from', streams, sinks: { main: { to: 'to', write, name } } } },
    ...rest,
  };
}

function run(job: LongJob) {
  return place.sluice(['run', place.job('job.json', job), '--quiet']);
}

/** The run ends with the code, says why in these words and what to do, and has no stack; returns the text. */
async function refused(job: LongJob, exitCode: number, code: string, ...words: string[]): Promise<string> {
  const exit = await run(job);
  const text = exit.stderr.replace(/\s+/g, ' ');
  expect(exit.code, text).toBe(exitCode);
  for (const word of [`error ${code}`, ...words]) expect(text).toContain(word);
  expect(text).toMatch(/ what .{10,} do .{10,} more docs\/errors/);
  expect(exit.stderr).not.toMatch(/\n\s+at /);
  expect(resultOf(exit.stdout)).toMatchObject({ status: 'failed', error: { code } });
  return text;
}

const withUser = (url: string, user: string, password: string): string => {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
};

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;
  const postgres = (url: string): ConnectionSpec => ({ connector: 'postgres', url });

  beforeAll(async () => {
    source = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id bigint PRIMARY KEY, name text);
       INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 3000) g;
       CREATE TABLE prices (id bigint PRIMARY KEY, price numeric(50,20)); INSERT INTO prices VALUES (1, 1.5);
       CREATE TABLE secret (id bigint PRIMARY KEY); INSERT INTO secret VALUES (1);
       CREATE TABLE nothing (id bigint PRIMARY KEY, name text);
       CREATE ROLE reader LOGIN PASSWORD 'reader-password'; CREATE ROLE nobody_in NOLOGIN;
       GRANT SELECT ON orders, prices, nothing TO reader; ANALYZE`,
      source,
    );
  });

  const BEFORE = 'SELECT * FROM kept.orders';
  beforeEach(async () => {
    target = await server().createDatabase();
    await server().psql(
      `CREATE SCHEMA kept; CREATE TABLE kept.orders (id bigint PRIMARY KEY, name text);
       INSERT INTO kept.orders VALUES (2999, 'mine'), (5000, NULL)`,
      target,
    );
  });

  async function expectUntouched(): Promise<void> {
    const { rows } = await dumpPostgres(target, BEFORE);
    expect([...rows].sort()).toEqual(['"2999","mine"', '"5000",']);
    const tables =
      "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'kept' AND tablename NOT LIKE '\\_sluice\\_%'";
    expect((await server().psql(tables, target)).trim()).toBe('orders');
  }

  describe('connections', () => {
    it('a role that may not log in', async () => {
      const from = postgres(withUser(source, 'nobody_in', 'some-password'));
      const text = await refused(jobOf(from, postgres(target)), AUTH, 'SLUICE-PG-0004', 'nobody_in');
      expect(text).not.toContain('some-password');
      await expectUntouched();
    });

    it('nothing listens at the port', async () => {
      const from = postgres('postgres://ann:some-password@127.0.0.1:9/shop');
      const text = await refused(jobOf(from, postgres(target)), TEMPORARY, 'SLUICE-PG-0001', '127.0.0.1:9');
      expect(text).not.toContain('some-password');
      await expectUntouched();
    });

    it('a host that does not exist', async () => {
      const from = postgres('postgres://ann@no-such-host.invalid/shop');
      await refused(jobOf(from, postgres(target)), CONFIG, 'SLUICE-PG-0002', 'no-such-host.invalid');
      await expectUntouched();
    });

    it('a database that does not exist', async () => {
      const url = new URL(source);
      url.pathname = '/no_such_database';
      await refused(
        jobOf(postgres(url.href), postgres(target)),
        CONFIG,
        'SLUICE-PG-0005',
        'no_such_database',
      );
      await expectUntouched();
    });

    it('TLS is wanted, and the server has none', async () => {
      const from = postgres(`${source}?sslmode=require`);
      await refused(jobOf(from, postgres(target)), CONFIG, 'SLUICE-PG-0006');
      await expectUntouched();
    });
  });

  describe('streams and types', () => {
    it('one of many tables may not be read', async () => {
      const from = postgres(withUser(source, 'reader', 'reader-password'));
      const exit = await run(jobOf(from, postgres(target), { streams: ['public.*'] }));
      expect(exit.code, exit.stderr).toBe(AUTH);
      expect(exit.stderr).toContain('SLUICE-PG-0021');
      expect(exit.stderr).toContain('stream public.secret');
      await expectUntouched();
    });

    it('a stream that is misspelt', async () => {
      const job = jobOf(postgres(source), postgres(target), { streams: ['public.ordres'] });
      await refused(job, CONFIG, 'SLUICE-CORE-0007', 'did you mean "public.orders"?');
      await expectUntouched();
    });

    it('a column that the sink cannot keep', async () => {
      await server().psql(
        'CREATE TABLE kept.prices (id bigint PRIMARY KEY, price numeric(50,2)); INSERT INTO kept.prices VALUES (7, 7)',
        target,
      );
      const job = jobOf(postgres(source), postgres(target), { streams: ['public.prices'] });
      await refused(job, CONFIG, 'SLUICE-CORE-0010', 'price', 'rounds to 2 places', 'lossy');
      expect((await dumpPostgres(target, 'SELECT * FROM kept.prices')).rows).toEqual(['"7","7.00"']);
    });

    it('a table that is there with another type', async () => {
      await server().psql('ALTER TABLE kept.orders ALTER name TYPE integer USING 5', target);
      const before = await dumpPostgres(target, BEFORE);
      await refused(
        jobOf(postgres(source), postgres(target)),
        CONTRACT,
        'SLUICE-PG-0029',
        '"kept"."orders"',
        'name',
      );
      expectSameRows(before, await dumpPostgres(target, BEFORE));
    });
  });

  describe('writing', () => {
    it('append meets a key that is there: no row of that commit stays', async () => {
      const job = jobOf(postgres(source), postgres(target), { delivery: { commit: { rows: 10_000 } } });
      await refused(job, DATA, 'SLUICE-PG-0016', 'orders', '2999');
      await expectUntouched();
    });

    it('zero rows do not replace some, unless that is meant', async () => {
      const settings: Settings = { streams: ['public.nothing'], write: 'replace', name: 'kept.orders' };
      const job = jobOf(postgres(source), postgres(target), settings);
      await refused(job, CONTRACT, 'SLUICE-PG-0028', 'orders', 'allowEmpty');
      await expectUntouched();
      const meant = await run({ ...job, allowEmpty: true });
      expect(meant.code, meant.stderr).toBe(0);
      expect((await dumpPostgres(target, BEFORE)).rows).toEqual([]);
    });

    it('a view fails at a row in its middle: what was there stays', async () => {
      await server().psql(
        'CREATE VIEW halves AS SELECT id, (100 / (2500 - id))::text AS name FROM orders',
        source,
      );
      const settings: Settings = { streams: ['public.halves'], write: 'replace', name: 'kept.orders' };
      const job = jobOf(postgres(source), postgres(target), settings);
      await refused(job, DATA, 'SLUICE-PG-0055', 'public.halves', 'division by zero');
      await expectUntouched();
      await refused(
        { ...job, ...jobOf(postgres(source), postgres(target), { ...settings, write: 'append' }) },
        DATA,
        'SLUICE-PG-0055',
      );
      await expectUntouched();
    });

    it('exactly-once is not to be had from a sink that keeps nothing', async () => {
      const job = jobOf(
        postgres(source),
        { connector: 'blackhole' },
        { delivery: { require: 'exactly-once' } },
      );
      await refused(job, CONFIG, 'SLUICE-CORE-0009', 'exactly once');
    });
  });

  describe('files', () => {
    const CSV_ROWS = 4000;
    const BROKEN = 3500;
    const line = (id: number) => `${id},n${id}`;
    const csv = (change?: string) => {
      const ids = Array.from({ length: CSV_ROWS }, (_, i) => i + 1);
      const text = ids.map((id) => (id === BROKEN && change !== undefined ? change : line(id)));
      return `id,label\n${text.join('\n')}\n`;
    };

    const from: ConnectionSpec = {
      connector: 'file',
      path: 'in.csv',
      stream: 'labels',
      sample: { rows: 100 },
    };
    const loading = (write: 'append' | 'replace') =>
      jobOf(from, postgres(target), {
        streams: { labels: { columns: { id: { type: 'int64' }, label: { type: 'string' } } } },
        write,
        delivery: { require: 'exactly-once', commit: { rows: 500 } },
      });

    it('append: a broken line is named, what was committed stays, and a changed file is not gone on with', async () => {
      place.write('in.csv', csv(`${BROKEN},n${BROKEN},x`));
      const job = loading('append');
      const text = await refused(job, DATA, 'SLUICE-CSV-0002', 'in.csv');
      expect(text).toContain(`line ${BROKEN + 1}`);
      const before = await dumpPostgres(target, 'SELECT id FROM kept.labels');
      const kept = before.rows.map((row) => Number(row.slice(1, -1))).sort((a, b) => a - b);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length % 500).toBe(0);
      expect(kept).toEqual(Array.from(kept, (_, i) => i + 1));

      place.write('in.csv', csv());
      await refused(job, CONTRACT, 'SLUICE-FILE-0005', 'in.csv');
      expectSameRows(before, await dumpPostgres(target, 'SELECT id FROM kept.labels'));
    });

    it('replace: a broken line publishes nothing, and a fresh copy of the repaired file is whole', async () => {
      place.write('in.csv', csv(`${BROKEN},n${BROKEN},x`));
      await refused(loading('replace'), DATA, 'SLUICE-CSV-0002', `line ${BROKEN + 1}`);
      await expectUntouched();

      place.write('in.csv', csv());
      const again = await place.sluice(['run', 'job.json', '--quiet', '--full-refresh']);
      expect(again.code, again.stderr).toBe(0);
      const wanted = Array.from({ length: CSV_ROWS }, (_, i) => `"${i + 1}","n${i + 1}"`);
      const found = await dumpPostgres(target, 'SELECT id, label FROM kept.labels');
      expectSameRows({ heading: 'id,label', rows: wanted }, found, { expected: 'file', actual: 'target' });
    });

    it.each(['at its end', 'in its middle'])('a Parquet file that is cut short %s', async (where) => {
      const whole = await run(
        jobOf(
          postgres(source),
          { connector: 'file', path: place.path('lake'), format: 'parquet' },
          { write: 'replace', name: 'orders' },
        ),
      );
      expect(whole.code, whole.stderr).toBe(0);
      const name = readdirSync(place.path('lake', 'orders')).find((entry) => entry.endsWith('.parquet'));
      const file = place.path('lake', 'orders', name!);
      const size = readFileSync(file).length;
      truncateSync(file, where === 'at its end' ? size - 5 : size >> 1);
      const from: ConnectionSpec = { connector: 'file', path: file, stream: 'orders' };
      const job = jobOf(from, postgres(target), { streams: ['orders'], write: 'replace' });
      rmSync(place.path('.sluice'), { recursive: true, force: true });
      await refused(job, CONTRACT, 'SLUICE-PARQUET-0001', 'PAR1');
      await expectUntouched();
    });
  });
});

describeWithServer(
  'postgres-15',
  (server) => {
    it('a wrong password is refused, and no password is printed', async () => {
      const source = await server().createDatabase();
      await server().psql(
        "CREATE TABLE orders (id bigint); CREATE ROLE ann LOGIN PASSWORD 'the-right-one'",
        source,
      );
      const file = (await server().psql('SHOW hba_file')).trim();
      const open = readFileSync(file, 'utf8');
      writeFileSync(file, `host all ann 127.0.0.1/32 scram-sha-256\n${open}`);
      await server().psql('SELECT pg_reload_conf()');
      const to = { connector: 'duckdb', path: place.path('lake.duckdb') };
      const from = (password: string) => ({ connector: 'postgres', url: withUser(source, 'ann', password) });
      const text = await refused(jobOf(from('not-the-right-one'), to), AUTH, 'SLUICE-PG-0003', 'ann');
      expect(text).not.toContain('the-right-one');
      await server().psql('GRANT SELECT ON orders TO ann', source);
      const right = await run(jobOf(from('the-right-one'), to, { name: 'main.orders', allowEmpty: true }));
      expect(right.code, right.stderr).toBe(0);
    });

    it('a source that restarts in the middle of a read is read again, and the data are equal', async () => {
      const source = await server().createDatabase();
      await server().psql(
        `CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 20000) g; CREATE TABLE open (yes boolean);
         CREATE VIEW slow AS SELECT id, CASE WHEN id = 15000 AND NOT EXISTS (SELECT FROM open) THEN pg_sleep(600)::text END AS waits FROM orders`,
        source,
      );
      const path = place.path('lake.duckdb');
      const settings: Settings = { streams: ['public.slow'], write: 'replace', name: 'main.slow' };
      const running = run(
        jobOf({ connector: 'postgres', url: source }, { connector: 'duckdb', path }, settings),
      );
      const asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
      while ((await server().psql(asleep)) !== '1');
      await server().psql('INSERT INTO open VALUES (true)', source);
      await server().restart();
      const exit = await running;
      expect(exit.code, exit.stderr).toBe(0);
      const counts = 'SELECT count(*), count(DISTINCT id), min(id), max(id) FROM main.slow';
      expect((await dumpDuckdb(path, counts)).rows).toEqual(['"20000","20000","1","20000"']);
    });
  },
  { settings: {} },
);
