/** Change data capture as people run it: a copy, then every change, through crashes and changes of tables. */
import type { EngineSpec } from '@sluice/sdk';
import {
  describeWithServer,
  expectSameRows,
  killAt,
  killAtRandom,
  listFailpoints,
  seededRandom,
} from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, type Workspace } from './cli-workspace.js';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  let followed: FollowedDatabase;
  let place: Workspace;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(
      server(),
      `CREATE TABLE people (id integer PRIMARY KEY, name text, bio text, score numeric, seen timestamptz);
       ALTER TABLE people ALTER bio SET STORAGE EXTERNAL;
       CREATE TABLE visits (person integer, day date, note text, PRIMARY KEY (person, day));
       INSERT INTO people SELECT g, 'person ' || g, repeat(md5(g::text), 100), g / 4.0, '2024-01-01' FROM generate_series(1, 200) g;
       INSERT INTO visits SELECT g, date '2024-01-01' + g % 5, 'visit ' || g FROM generate_series(1, 200) g; ANALYZE`,
    );
    place = followed.place;
  });
  afterEach(() => followed.remove());

  const atSource = (sql: string) => followed.atSource(sql);
  const inTarget = (sql: string) => followed.inTarget(sql);
  const upsert = { write: 'upsert' } as const;

  const job = (delivery: EngineSpec['delivery'] = { require: 'exactly-once', commit: { rows: 40 } }) =>
    followed.job('people', { copy: upsert, lake: upsert }, { delivery });
  const program = (file = job()) => followed.program(file);
  const run = (file = job()) => followed.run(file);

  const TABLES: { readonly [table: string]: string } = {
    people: 'id::text AS id, name, md5(bio) AS bio, score::text AS score',
    visits: 'person::text AS person, day::text AS day, note',
  };

  async function expectSame(tables = TABLES): Promise<void> {
    for (const [table, columns] of Object.entries(tables)) {
      const wanted = await followed.dumpSource(`SELECT ${columns} FROM ${table}`);
      const text = columns.replaceAll('::text', '::VARCHAR');
      const targets = await followed.dumpTargets(
        `SELECT ${columns} FROM ${table}`,
        `SELECT ${text} FROM public.${table}`,
      );
      for (const [name, rows] of Object.entries(targets))
        expectSameRows(wanted, rows, { expected: 'source', actual: `${name} of ${table}` });
    }
  }

  /** Transactions of all kinds of changes, keys that change and large values that stay among them. */
  function changes(random: () => number, transactions: number): string {
    const integer = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
    const id = () => integer(1, 260);
    const statements: (() => string)[] = [
      () =>
        `INSERT INTO people (id, name, bio) VALUES (${id()}, 'new', repeat('b', 5000)) ON CONFLICT DO NOTHING`,
      () => `UPDATE people SET name = 'x' || ${id()} WHERE id = ${id()}`,
      () => `UPDATE people SET bio = repeat(md5(${id()}::text), 200), score = NULL WHERE id = ${id()}`,
      () =>
        `UPDATE people SET id = id + 1000, score = 1.50 WHERE id = ${id()} AND NOT EXISTS (SELECT FROM people p WHERE p.id = people.id + 1000)`,
      () => `DELETE FROM people WHERE id = ${id()}`,
      () =>
        `INSERT INTO visits VALUES (${id()}, '2024-02-01', 'new') ON CONFLICT (person, day) DO UPDATE SET note = 'again'`,
      () =>
        `UPDATE visits v SET day = day + 100 WHERE person = ${id()} AND day = (SELECT max(day) FROM visits w WHERE w.person = v.person)`,
      () => `DELETE FROM visits WHERE person BETWEEN ${id()} AND ${id()} AND person % 10 = 0`,
    ];
    return Array.from({ length: transactions }, () => {
      const body = Array.from({ length: integer(1, 6) }, () =>
        statements[integer(0, statements.length - 1)]!(),
      ).join('; ');
      return `BEGIN; ${body}; ${integer(0, 9) === 0 ? 'ROLLBACK' : 'COMMIT'};`;
    }).join('\n');
  }

  it(
    'copies, then follows, transaction by transaction',
    async () => {
      const first = await run();
      expect(first.streams.map(({ complete }) => complete)).toEqual([true, true, true, true]);
      await expectSame();
      const random = seededRandom(7);
      for (let round = 0; round < 4; round++) {
        await atSource(changes(random, 30));
        await run();
        await expectSame();
      }
      await atSource('TRUNCATE visits; INSERT INTO visits VALUES (1, now(), NULL)');
      await run();
      await expectSame();
      const nothing = await run();
      expect(nothing.rows).toBe(0);
    },
    4 * MINUTES,
  );

  it(
    'follows tables that change their shape',
    async () => {
      await run();
      await atSource(
        `UPDATE people SET name = 'before' WHERE id = 1; ALTER TABLE people ADD extra text;
         UPDATE people SET extra = 'x' WHERE id = 2; ALTER TABLE people DROP seen; ALTER TABLE visits ALTER note TYPE varchar(40);
         BEGIN; UPDATE people SET name = 'within' WHERE id = 3; ALTER TABLE people ADD more integer;
         UPDATE people SET more = 5 WHERE id = 4; COMMIT; DELETE FROM people WHERE id = 5`,
      );
      await run();
      await expectSame({ ...TABLES, people: `${TABLES['people']}, extra, more::text AS more` });
    },
    3 * MINUTES,
  );

  it(
    'ends equal wherever it is killed, while the tables change',
    async () => {
      const random = seededRandom(11);
      // In the copy, and at the instants after it.
      for (const point of ['commit.before-ledger@1', 'commit.after-ledger@2', 'plan.before-planned@1']) {
        await killAt(program(), point);
        await atSource(changes(random, 5));
      }
      await run();
      await expectSame();
      await atSource(changes(random, 40));
      const points = await listFailpoints(program());
      expect(points.map(({ name }) => name)).toContain('commit.before-ledger');
      await expectSame();
      for (const { name, hits } of points) {
        await atSource(changes(random, 40));
        await killAt(program(), `${name}@${Math.min(hits, 1 + Math.floor(random() * 3))}`).catch(
          (error: unknown) => {
            // Other changes make other epochs; that it was not killed is no failure of this try.
            if (!String(error).includes('expected the program to be killed')) throw error;
          },
        );
        await atSource(changes(random, 3));
        await run();
        await expectSame();
      }
      for (let seed = 1; seed <= 5; seed++) {
        await atSource(changes(random, 200));
        await killAtRandom(program(), { minMs: 300, maxMs: 1500 }, seed);
        await run();
        await expectSame();
      }
    },
    15 * MINUTES,
  );

  const ORDERS = `
    CREATE TABLE orders (id integer PRIMARY KEY, note text, doc text);
    ALTER TABLE orders ALTER doc SET STORAGE EXTERNAL;
    INSERT INTO orders SELECT g, 'order ' || g, repeat(md5(g::text), 100) FROM generate_series(1, 300) g`;
  const WITH_ORDERS = { ...TABLES, orders: 'id::text AS id, note, md5(doc) AS doc' };
  /** Changes of the orders, keys that change and large values that stay among them. */
  const orderChanges = (n: number) => `
    UPDATE orders SET note = 'changed ' || ${n} WHERE id % 7 = ${n % 7};
    UPDATE orders SET id = id + ${1000 * n} WHERE id % 50 = ${n};
    DELETE FROM orders WHERE id % 31 = ${n}; INSERT INTO orders VALUES (${-n}, 'new', NULL)`;

  it(
    'takes in tables that are made later, with what was written before they were published',
    async () => {
      await run();
      await atSource(`${ORDERS}; ${changes(seededRandom(2), 20)}`);
      // A transaction that began before the table joins, and ends after it.
      const open = atSource(
        "BEGIN; INSERT INTO orders VALUES (9001, 'early', 'x'); SELECT pg_sleep(3); INSERT INTO orders VALUES (9002, 'late', 'y'); COMMIT",
      );
      await expect
        .poll(() => atSource("SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass"))
        .not.toBe('0');
      const joined = await run();
      await open;
      expect(joined.streams.map(({ generation }) => generation)).toEqual([1, 1, 1, 1, 1, 1]);
      await run();
      await expectSame(WITH_ORDERS);
      await atSource(orderChanges(3));
      await run();
      await expectSame(WITH_ORDERS);
    },
    4 * MINUTES,
  );

  /** What happens while a stream joins. */
  const JOINING = [
    'settle.after-begin',
    'plan.before-planned',
    'plan.after-planned',
    'prepare.after-adopt',
    'prepare.after-schema',
    'commit.before-ledger',
    'commit.after-ledger',
  ];

  it(
    'takes them in wherever it is killed',
    async () => {
      await run();
      await atSource(`${ORDERS}; ${changes(seededRandom(2), 20)}`);
      const points = new Map((await listFailpoints(program())).map(({ name, hits }) => [name, hits]));
      await expectSame(WITH_ORDERS);
      let n = 0;
      for (const name of JOINING) {
        n++;
        const hits = points.get(name)!;
        const table = `orders${n}`;
        await atSource(ORDERS.replaceAll('orders', table));
        await killAt(program(), `${name}@${Math.ceil(hits / 2)}`);
        await atSource(orderChanges(n).replaceAll('orders', table));
        await run();
        await expectSame({ [table]: WITH_ORDERS.orders });
        await atSource(orderChanges(n + 20).replaceAll('orders', table));
        await run();
        await expectSame({ [table]: WITH_ORDERS.orders });
        await atSource(`DROP TABLE ${table}`);
      }
    },
    10 * MINUTES,
  );

  it(
    'takes in a sink that comes later, wherever it is killed',
    async () => {
      const file = job();
      const both = place.read('job.json');
      const spec = JSON.parse(both);
      spec.flows.main.sinks = { copy: spec.flows.main.sinks.copy };
      place.write('job.json', JSON.stringify(spec));
      const random = seededRandom(5);
      for (let round = 0; round < 2; round++) {
        await run(file);
        await atSource(changes(random, 20));
      }
      await run(file);
      place.write('job.json', both);
      for (const point of [
        'plan.after-joined@1',
        'prepare.after-adopt@1',
        'commit.before-ledger@1',
        'commit.after-ledger@2',
      ]) {
        await killAt(program(file), point);
        await atSource(changes(random, 20));
      }
      await run(file);
      await run(file);
      await expectSame();
      await atSource(changes(random, 20));
      await run(file);
      await expectSame();
    },
    4 * MINUTES,
  );

  it(
    'copies a table anew that was not read for a while',
    async () => {
      await atSource(ORDERS);
      const file = job();
      await run(file);
      await expectSame(WITH_ORDERS);
      const without = (name: string) => {
        const spec = JSON.parse(place.read('job.json'));
        spec.flows.main.streams = { 'public.*': {}, [name]: false };
        place.write('job.json', JSON.stringify(spec));
      };
      without('public.orders');
      const some = await place.sluice(['run', 'job.json', '--quiet', '--streams', 'public.visits']);
      expect(some.code).toBe(2);
      expect(some.stdout + some.stderr).toContain('--streams leaves out public.people');
      await run('job.json');
      await atSource(`${orderChanges(3)}; ${changes(seededRandom(4), 20)}`);
      await run('job.json');
      await expectSame();
      await atSource(`${orderChanges(4)}; UPDATE people SET name = 'both' WHERE id < 9`);
      await run(job());
      await expectSame(WITH_ORDERS);
      await atSource(orderChanges(5));
      await run(job());
      await expectSame(WITH_ORDERS);
    },
    4 * MINUTES,
  );

  it(
    'follows until it is stopped, through a server that goes away, and shows what is committed soon',
    async () => {
      const file = job({ require: 'exactly-once', commit: { every: '10ms' } });
      const running = place.start(['run', file, '--follow', '--json']);
      const shown = (sql: string) => inTarget(sql).catch(() => '');
      const until = async (sql: string, wanted: string) => {
        const end = Date.now() + 60_000;
        while ((await shown(sql)) !== wanted) {
          if (Date.now() > end) throw new Error(`${sql} is ${await shown(sql)}\n${running.stderr}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      await until('SELECT count(*) FROM people', '200');
      await until('SELECT count(*) FROM visits', '200');
      const random = seededRandom(3);
      for (let round = 0; round < 5; round++) {
        await atSource(changes(random, 20));
        await atSource(`INSERT INTO visits VALUES (${5000 + round}, '2024-01-01', 'seen')`);
        await until(`SELECT count(*) FROM visits WHERE person = ${5000 + round}`, '1');
      }
      await atSource(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND slot_name LIKE 'sluice_people%'",
      );
      await atSource("INSERT INTO visits VALUES (6000, '2024-01-01', 'behind the cut')");
      await until('SELECT count(*) FROM visits WHERE person = 6000', '1');
      await atSource(`${ORDERS}; ${changes(random, 20)}`);
      const orders = (sql: string) => `SELECT ${sql} FROM pg_tables WHERE tablename = 'orders'`;
      await until(orders('count(*)'), '1');
      await atSource(`${orderChanges(3)}; ${changes(random, 20)}`);
      await atSource("INSERT INTO orders VALUES (7000, 'behind its copy', NULL)");
      await until('SELECT count(*) FROM orders WHERE id = 7000', '1');
      // A table is copied once more under way, whatever has become of its target.
      await inTarget("DELETE FROM people WHERE id < 50; INSERT INTO people VALUES (-1, 'nobody')");
      const resync = await place.sluice(['resync', 'job.json', 'public.people']);
      expect(resync.stdout).toMatch(
        /^flow main: public.people will be copied once more\nrun .* is under way/,
      );
      await atSource(changes(random, 20));
      await until('SELECT count(*) FROM people WHERE id = -1', '0');
      running.signal('SIGTERM');
      expect(await running.ended, running.stderr).toEqual({ code: 143, signal: null });
      const events = running.stdout.split('\n').filter((line) => line.startsWith('{'));
      const told = events.map(
        (line) => JSON.parse(line) as { event: string; delayMs?: number; bytes: number },
      );
      const delays = told.flatMap(({ event, delayMs }) =>
        event === 'epoch.committed' ? (delayMs ?? []) : [],
      );
      expect(delays.length).toBeGreaterThan(5);
      expect(Math.max(...delays)).toBeLessThan(MINUTES);
      const lags = told.filter(({ event }) => event === 'log.lag').map(({ bytes }) => bytes);
      expect(lags.length).toBeGreaterThan(0);
      await run(file);
      await expectSame(WITH_ORDERS);
      await inTarget('UPDATE orders SET note = NULL');
      expect((await place.sluice(['resync', 'job.json', 'public.nothing'])).code).toBe(2);
      expect((await place.sluice(['resync', 'people', 'public.ord*'])).stdout).toContain(
        'the next run does it',
      );
      await run(file);
      await expectSame(WITH_ORDERS);
      await run();
      await expectSame(WITH_ORDERS);
    },
    4 * MINUTES,
  );

  it(
    'keeps the log from before the copy, and tells when it is gone',
    async () => {
      await run();
      const alone = await place.sluice(['run', 'job.json', '--quiet', '--refresh', 'public.people']);
      expect([alone.code, resultOf(alone.stdout).error?.code]).toEqual([2, 'SLUICE-CLI-0006']);
      const [slot] = (
        await atSource('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()')
      ).split('\n');
      expect(slot).toMatch(/^sluice_people_main_[0-9a-f]{8}$/);
      await atSource(`SELECT pg_drop_replication_slot('${slot}'); DELETE FROM people WHERE id < 50`);
      const { error } = await followed.ends(4, job());
      expect(error).toMatchObject({ code: 'SLUICE-PG-0046', message: expect.stringContaining(slot!) });
      await followed.run('job.json', '--full-refresh');
      await expectSame();
      const kept =
        'SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()), (SELECT count(*) FROM pg_publication)';
      expect(await atSource(kept)).toBe('1|1');
      const cleaned = await place.sluice(['clean', 'job.json', '--yes', '--ledger']);
      expect(cleaned.code, cleaned.stderr).toBe(0);
      expect(cleaned.stdout).toContain(`SELECT pg_drop_replication_slot('${slot}')`);
      expect(await atSource(kept)).toBe('0|0');
    },
    3 * MINUTES,
  );
});
