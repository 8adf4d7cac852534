/** A stream that fails, whichever way, is left out of its flow: the others flow on, and it comes back by a copy. */
import { randomBytes } from 'node:crypto';
import type { QuarantinedResult } from '@sluice/core';
import {
  describeWithServer,
  dumpDuckdb,
  dumpPostgres,
  expectSameRows,
  killAt,
  type Program,
} from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventsOf, type Running, resultOf, SLUICE, Workspace } from './cli-workspace.js';
import { dropSlots } from './drop-slots.js';

const MINUTES = 60_000;
/** Columns that both databases print alike. */
const TEXT = 'id::text AS id, note, n::text AS n';

describeWithServer('postgres-15', (server) => {
  let place: Workspace;
  /** Neither of these users may do everything. */
  let source: string;
  let target: string;

  const atSource = (sql: string) => server().psql(sql, source);
  const atTarget = (sql: string) => server().psql(sql, target);

  async function ownDatabase(): Promise<string> {
    const url = await server().createDatabase();
    const role = `owner_${randomBytes(6).toString('hex')}`;
    const { pathname } = new URL(url);
    await server().psql(
      `CREATE ROLE ${role} LOGIN REPLICATION; ALTER DATABASE "${pathname.slice(1)}" OWNER TO ${role};
       ALTER SCHEMA public OWNER TO ${role}`,
      url,
    );
    const own = new URL(url);
    own.username = role;
    own.password = '';
    return own.href;
  }

  const tables = (...names: string[]) =>
    names
      .map(
        (name) => `CREATE TABLE ${name} (id integer PRIMARY KEY, note text, n integer);
          INSERT INTO ${name} SELECT g, 'row ' || g, g FROM generate_series(1, 50) g`,
      )
      .join(';');

  beforeEach(async () => {
    place = new Workspace();
    source = await ownDatabase();
    target = await ownDatabase();
  });
  afterEach(async () => {
    place.remove();
    await dropSlots(atSource);
  });

  function job(more: { [key: string]: unknown } = {}, flow: { [key: string]: unknown } = {}): string {
    return place.job('job.json', {
      name: 'shop',
      connections: {
        app: { connector: 'postgres', url: source },
        copy: { connector: 'postgres', url: target },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
      },
      flows: {
        main: {
          source: 'app',
          mode: 'cdc',
          onFailure: 'quarantine',
          sinks: { copy: { to: 'copy', write: 'upsert' }, lake: { to: 'lake', write: 'upsert' } },
          ...flow,
        },
      },
      delivery: { require: 'exactly-once', commit: { every: '200ms', rows: 40 } },
      ...more,
    });
  }

  async function run(...args: string[]) {
    const exit = await place.sluice(['run', 'job.json', '--quiet', ...args]);
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    return resultOf(exit.stdout);
  }

  async function expectSame(...names: string[]): Promise<void> {
    for (const name of names) {
      const wanted = await dumpPostgres(source, `SELECT ${TEXT} FROM ${name}`);
      const copy = await dumpPostgres(target, `SELECT ${TEXT} FROM ${name}`);
      expectSameRows(wanted, copy, { expected: 'source', actual: `copy of ${name}` });
      const lake = await dumpDuckdb(place.path('lake.duckdb'), `SELECT ${TEXT} FROM public.${name}`);
      expectSameRows(wanted, lake, { expected: 'source', actual: `lake of ${name}` });
    }
  }

  /** Changes of each kind in several tables, in each transaction. */
  const changes = (n: number, ...names: string[]) =>
    Array.from({ length: 8 }, (_, i) => {
      const each = names.map(
        (name) => `INSERT INTO ${name} VALUES (${1000 * n + i}, 'new', ${i});
          UPDATE ${name} SET note = 'changed ${n}', n = n + 1 WHERE id % 8 = ${i} AND id < 50;
          UPDATE ${name} SET id = -id - ${1000 * n} WHERE id = ${n * 2 + 40 + (i % 2)};
          DELETE FROM ${name} WHERE id = ${n * 10 + i}`,
      );
      return `BEGIN; ${each.join(';')}; COMMIT`;
    }).join(';');

  const confirmed = () =>
    atSource(
      "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE database = current_database()",
    ).then(Number);

  const codes = (quarantined: readonly QuarantinedResult[] | undefined = []) =>
    Object.fromEntries(quarantined.map(({ stream, error }) => [stream, error.code]));

  it(
    'is left out for a row that its target refuses, stays out, and comes back equal to the source',
    async () => {
      await atSource(tables('a', 'b', 'c'));
      job();
      expect((await run()).quarantined).toBeUndefined();
      await expectSame('a', 'b', 'c');
      const before = await dumpPostgres(target, `SELECT ${TEXT} FROM b`);
      await atTarget('ALTER TABLE b ADD CHECK (n < 100)');
      await atSource(`${changes(1, 'a', 'c')}; ${changes(5, 'a', 'b', 'c')}`);
      await atSource(
        `BEGIN; UPDATE a SET n = 1; UPDATE b SET n = 500 WHERE id = 30; UPDATE c SET n = 2; COMMIT`,
      );
      const place1 = await confirmed();
      const first = await run();
      expect(first.quarantined).toMatchObject([
        { flow: 'main', stream: 'public.b', error: { code: 'SLUICE-PG-0017', class: 'data' } },
      ]);
      await expectSame('a', 'c');
      expect(await confirmed()).toBeGreaterThan(place1);
      // What it had when the epoch failed that it was in, or one before.
      const left = await dumpPostgres(target, `SELECT ${TEXT} FROM b`);
      expect(left.rows.length).toBeGreaterThan(before.rows.length - 20);

      await atSource(changes(2, 'a', 'b', 'c'));
      const second = await run();
      expect(second.quarantined).toEqual(first.quarantined);
      expect(second.streams.map(({ stream }) => stream)).not.toContain('public.b');
      await expectSame('a', 'c');
      expectSameRows(left, await dumpPostgres(target, `SELECT ${TEXT} FROM b`), {
        expected: 'b as it was left',
        actual: 'b a run later',
      });
      const shown = await place.sluice(['state', 'show', 'job.json', '--json']);
      expect(JSON.parse(shown.stdout).quarantined).toMatchObject([
        { flow: 'main', stream: 'public.b', code: 'SLUICE-PG-0017' },
      ]);
      const doctor = await place.sluice(['doctor', 'job.json']);
      expect(doctor.stdout).toContain('flow main goes on without stream public.b: ');
      expect(doctor.stdout).toContain('sluice resync shop public.b');
      const planned = await place.sluice(['plan', 'job.json']);
      expect(planned.stdout).toContain('public.b is quarantined: ');
      const exported = JSON.parse((await place.sluice(['state', 'export', 'job.json'])).stdout);
      expect(exported.flows.main.streams['public.b'].quarantined.error.code).toBe('SLUICE-PG-0017');

      await atTarget('ALTER TABLE b DROP CONSTRAINT b_n_check');
      const resync = await place.sluice(['resync', 'job.json', 'public.b']);
      expect(resync.stdout).toContain('public.b will be copied once more');
      expect((await run()).quarantined).toBeUndefined();
      await expectSame('a', 'b', 'c');
      await atSource(changes(3, 'a', 'b', 'c'));
      await run();
      await expectSame('a', 'b', 'c');
    },
    4 * MINUTES,
  );

  it(
    'is left out for whatever is wrong with it alone, and all come back together',
    async () => {
      const broken = ['revoked', 'frozen', 'keyless', 'hidden', 'gone', 'uncast', 'lakeless', 'deferred'];
      await atSource(tables('healthy', 'other', ...broken));
      job(
        { schema: { types: 'freeze' } },
        {
          streams: { 'public.*': {}, 'public.gone': {} },
          transforms: [{ use: 'cast', streams: ['public.uncast'], columns: { note: 'string' } }],
        },
      );
      await run();
      await expectSame('healthy', 'other', ...broken);
      await atTarget(
        `REVOKE INSERT, UPDATE ON revoked FROM CURRENT_USER;
         ALTER TABLE deferred ADD CONSTRAINT once UNIQUE (note, n) DEFERRABLE INITIALLY DEFERRED`,
      );
      await atSource(
        `ALTER TABLE frozen ALTER n TYPE bigint; ALTER TABLE keyless DROP CONSTRAINT keyless_pkey;
         ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; DROP TABLE gone;
         UPDATE deferred SET note = 'same', n = 1 WHERE id IN (7, 8)`,
      );
      const written = ['healthy', 'other', 'revoked', 'frozen', 'deferred'];
      await atSource(changes(1, ...written));
      const { quarantined } = await run();
      expect(codes(quarantined)).toEqual({
        'public.revoked': 'SLUICE-PG-0008',
        'public.frozen': 'SLUICE-CORE-0115',
        'public.keyless': 'SLUICE-PG-0049',
        'public.hidden': 'SLUICE-PG-0038',
        'public.gone': 'SLUICE-CORE-0007',
        'public.deferred': 'SLUICE-PG-0016',
      });
      await expectSame('healthy', 'other', 'uncast', 'lakeless');

      // A row that a transform cannot take, and one that only one of the sinks refuses.
      const spec = JSON.parse(place.read('job.json'));
      spec.flows.main.transforms[0].columns = { note: 'int32' };
      spec.flows.main.transforms[0].streams = ['public.uncast'];
      place.job('job.json', spec);
      await atSource(
        `UPDATE uncast SET n = 7; UPDATE lakeless SET n = 77 WHERE id = 1; ${changes(2, 'healthy', 'other')}`,
      );
      expect(Object.keys(codes((await run()).quarantined))).toContain('public.uncast');
      await expectSame('healthy', 'other', 'lakeless');

      await atTarget(
        'GRANT INSERT, UPDATE ON revoked TO CURRENT_USER; ALTER TABLE deferred DROP CONSTRAINT once',
      );
      await atSource(
        `ALTER TABLE frozen ALTER n TYPE integer; ALTER TABLE keyless ADD PRIMARY KEY (id);
         ALTER TABLE hidden DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; ${tables('gone')};
         DELETE FROM gone WHERE id > 5; UPDATE keyless SET n = 8`,
      );
      spec.flows.main.transforms = [];
      place.job('job.json', spec);
      await atSource(changes(4, 'healthy', 'other', ...broken));
      expect((await place.sluice(['resync', 'job.json', '*'])).code).toBe(0);
      const all = await run();
      expect(all.quarantined).toBeUndefined();
      await expectSame('healthy', 'other', ...broken);
    },
    5 * MINUTES,
  );

  it(
    'is left out while the others are followed, and taken in again under way',
    async () => {
      await atSource(tables('a', 'b', 'c', 'd'));
      job();
      await run();
      const running = place.start(['run', 'job.json', '--follow', '--json']);
      try {
        await until(
          running,
          'SELECT count(*) FROM a WHERE id = 900',
          '1',
          "INSERT INTO a VALUES (900, 'x', 1)",
        );
        await atTarget('DROP TABLE b; ALTER TABLE c ADD CHECK (n < 100)');
        await atSource(
          `${changes(1, 'a', 'd')}; UPDATE b SET n = 3; ${changes(2, 'a', 'd')}; UPDATE c SET n = 500 WHERE id = 1`,
        );
        await until(
          running,
          'SELECT count(*) FROM d WHERE id = 901',
          '1',
          "INSERT INTO d VALUES (901, 'x', 1)",
        );
        const told = eventsOf(running.stdout).flatMap((event) =>
          event.event === 'stream.quarantined' ? [[event.stream, event.error.code]] : [],
        );
        expect(Object.fromEntries(told)).toEqual({
          'public.b': 'SLUICE-PG-0019',
          'public.c': 'SLUICE-PG-0017',
        });
        const before = await confirmed();
        await atSource(changes(3, 'a', 'b', 'c', 'd'));
        await expect.poll(confirmed, { timeout: MINUTES }).toBeGreaterThan(before);
        expect((await place.sluice(['resync', 'job.json', 'public.b'])).stdout).toContain('is under way');
        await until(
          running,
          'SELECT count(*) FROM b WHERE id = 902',
          '1',
          "INSERT INTO b VALUES (902, 'x', 1)",
        );
        // One that fails once more is left out once more.
        expect((await place.sluice(['resync', 'job.json', 'public.c'])).code).toBe(0);
        await expect
          .poll(() => eventsOf(running.stdout).filter(({ event }) => event === 'stream.quarantined').length, {
            timeout: MINUTES,
          })
          .toBe(3);
        await until(
          running,
          'SELECT count(*) FROM a WHERE id = 903',
          '1',
          "INSERT INTO a VALUES (903, 'x', 1)",
        );
      } finally {
        running.signal('SIGTERM');
      }
      expect(await running.ended, running.stderr).toEqual({ code: 143, signal: null });
      const { quarantined } = await run();
      expect(codes(quarantined)).toEqual({ 'public.c': 'SLUICE-PG-0017' });
      await expectSame('a', 'b', 'd');
      await atTarget('ALTER TABLE c DROP CONSTRAINT c_n_check');
      await run('--full-refresh');
      await expectSame('a', 'b', 'c', 'd');
    },
    4 * MINUTES,
  );

  /** Writes at the source, and waits until the target shows it. */
  async function until(running: Running, sql: string, wanted: string, write?: string): Promise<void> {
    if (write !== undefined) await atSource(write);
    const end = Date.now() + MINUTES;
    for (let shown = ''; shown !== wanted; ) {
      if (Date.now() > end)
        throw new Error(`${sql} is ${shown}\n${running.stdout.slice(-3000)}\n${running.stderr}`);
      shown = await atTarget(sql).catch(String);
    }
  }

  it(
    'is left out by the next run as well, wherever this one is killed',
    async () => {
      await atSource(tables('a', 'b', 'c'));
      const file = job();
      await run();
      await atTarget('ALTER TABLE b ADD CHECK (n <> 500)');
      const program: Program = {
        command: process.execPath,
        args: [SLUICE, 'run', file, '--quiet'],
        cwd: place.folder,
      };
      let n = 0;
      for (const point of [
        'quarantine.before-ledger@1',
        'quarantine.after-ledger@1',
        'plan.before-planned@2',
      ]) {
        n++;
        await atSource(
          `${changes(n, 'a', 'b', 'c')}; UPDATE b SET n = 500 WHERE id = 3; ${changes(n + 20, 'a')}`,
        );
        await killAt(program, point);
        const { quarantined } = await run();
        expect(codes(quarantined)).toEqual({ 'public.b': 'SLUICE-PG-0017' });
        await expectSame('a', 'c');
        await atSource('UPDATE b SET n = 0 WHERE n = 500');
        expect((await place.sluice(['resync', 'job.json', 'public.b'])).code).toBe(0);
        expect((await run()).quarantined).toBeUndefined();
        await expectSame('a', 'b', 'c');
      }
    },
    5 * MINUTES,
  );

  it(
    'ends the flow where it is the last, or where the job does not say otherwise',
    async () => {
      await atSource(tables('a', 'b'));
      job();
      await run();
      await atTarget('ALTER TABLE a ADD CHECK (n <> 500); ALTER TABLE b ADD CHECK (n <> 500)');
      await atSource('UPDATE a SET n = 500 WHERE id = 1; UPDATE b SET n = 500 WHERE id = 1');
      const failed = await place.sluice(['run', 'job.json', '--quiet']);
      expect(failed.code).toBe(5);
      expect(resultOf(failed.stdout).error?.code).toBe('SLUICE-PG-0017');
      expect(resultOf(failed.stdout).quarantined).toHaveLength(1);

      job({}, { onFailure: 'stop' });
      await atTarget('ALTER TABLE b DROP CONSTRAINT b_n_check; ALTER TABLE a DROP CONSTRAINT a_n_check');
      await place.sluice(['resync', 'job.json', '*']);
      await run();
      await expectSame('a', 'b');
      await atTarget('ALTER TABLE a ADD CHECK (n <> 501)');
      await atSource('UPDATE a SET n = 501 WHERE id = 1');
      const stopped = await place.sluice(['run', 'job.json', '--quiet']);
      expect([stopped.code, resultOf(stopped.stdout).quarantined]).toEqual([5, undefined]);

      job({}, { mode: 'full' });
      const refused = await place.sluice(['run', 'job.json', '--quiet']);
      expect(resultOf(refused.stdout).error).toMatchObject({
        code: 'SLUICE-CORE-0008',
        message: expect.stringContaining('"onFailure": "quarantine" is not for stream public.a'),
      });
    },
    3 * MINUTES,
  );
});
