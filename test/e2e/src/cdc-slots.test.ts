/** What the source's server keeps of its log for a flow: listed, and dropped where that is allowed. */
import type { JobSpec } from '@sluice/sdk';
import { describeWithServer } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf } from './cli-workspace.js';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(
      server(),
      'CREATE TABLE people (id integer PRIMARY KEY, name text); INSERT INTO people SELECT g FROM generate_series(1, 9) g',
    );
  });
  afterEach(() => followed.remove());

  function job(name = 'people', more: { [key: string]: unknown } = {}): string {
    return followed.place.job(`${name}.json`, {
      name,
      source: { connector: 'postgres', url: followed.source, ...more },
      mode: 'cdc',
      sink: { connector: 'duckdb', path: `${name}.duckdb` },
      write: 'upsert',
    } as JobSpec);
  }

  async function ok(...args: string[]): Promise<string> {
    const exit = await followed.place.sluice(args);
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    return exit.stdout;
  }

  const inServer = (columns: string) =>
    followed.atSource(
      `SELECT ${columns} FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`,
    );
  const publications = () => followed.atSource('SELECT pubname FROM pg_publication ORDER BY 1');

  it(
    'are listed with what the server says of them, and dropped with consent; the next run says what is lost',
    async () => {
      const file = job();
      expect(await ok('cdc', 'slots', file)).toBe('Nothing is kept.\n');
      expect(await ok('cdc', 'drop', file, '--yes')).toBe(
        'source, as people/main is clean\nthere was nothing of job people to drop\n',
      );
      await ok('run', file, '--quiet');
      await ok('run', job('others'), '--quiet');
      await followed.atSource("SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000))");
      const { sources } = JSON.parse(await ok('cdc', 'slots', file, '--json'));
      const [slot, keptFrom, confirmed, least] = (
        await inServer(
          'slot_name, restart_lsn, confirmed_flush_lsn, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)',
        )
      )
        .split('\n')
        .find((line) => line.startsWith('sluice_people'))!
        .split('|');
      expect(sources).toMatchObject([
        {
          flow: 'main',
          logs: [
            {
              name: slot,
              publication: slot,
              ours: true,
              state: 'idle',
              status: 'reserved',
              keptFrom,
              confirmed,
            },
          ],
        },
      ]);
      const [{ bytesBehind, bytesKept }] = sources[0].logs;
      expect(bytesBehind).toBeGreaterThan(100_000);
      expect(bytesBehind).toBeLessThanOrEqual(Number(least));
      expect(bytesKept).toBeGreaterThanOrEqual(bytesBehind);
      const text = await ok('cdc', 'slots', file);
      expect(text).toContain(slot);
      expect(text).toMatch(/idle, reserved .* no limit/);
      for (const args of [[file, '--all'], [followed.source]]) {
        const all = await ok('cdc', 'slots', ...args);
        expect(all).toContain(slot);
        expect(all).toContain('sluice_others_main_');
      }
      expect((await followed.place.sluice(['cdc', 'drop', file])).code).toBe(2);
      expect(await ok('cdc', 'drop', file, '--dry-run')).toContain(
        `SELECT pg_drop_replication_slot('${slot}')`,
      );
      expect(await inServer('slot_name')).toContain(slot);
      await ok('cdc', 'drop', file, '--yes');
      expect(await inServer('slot_name')).toMatch(/^sluice_others_main_\w+$/);
      expect(await publications()).toMatch(/^sluice_others_main_\w+$/);
      const lost = await followed.place.sluice(['run', file, '--quiet']);
      expect(lost.code).toBe(4);
      expect(resultOf(lost.stdout).error).toMatchObject({
        code: 'SLUICE-PG-0046',
        help: expect.stringContaining('--full-refresh'),
      });
      await ok('run', file, '--quiet', '--full-refresh');
      expect(await inServer('slot_name')).toContain(slot);
    },
    3 * MINUTES,
  );

  it(
    'are not dropped while they are read, or where the job names them, unless that is forced',
    async () => {
      const file = job('people', { slot: 'mine', publication: 'mine' });
      const running = followed.place.start(['run', file, '--follow', '--json']);
      await running.until((stdout) => stdout.includes('"log.lag"'));
      expect(JSON.parse(await ok('cdc', 'slots', file, '--json')).sources[0].logs).toMatchObject([
        { name: 'mine', publication: 'mine', ours: false, state: 'reading', reader: expect.any(Number) },
      ]);
      const underWay = await followed.place.sluice(['cdc', 'drop', file, '--yes']);
      expect([underWay.code, underWay.stderr]).toEqual([75, expect.stringContaining('SLUICE-CORE-0101')]);
      // A ledger of another machine does not know of the run.
      const elsewhere = ['cdc', 'drop', file, '--yes', '--state', 'elsewhere.db'];
      const given = await followed.place.sluice(elsewhere);
      expect([given.code, given.stderr]).toEqual([2, expect.stringContaining('SLUICE-PG-0061')]);
      const renamed = await followed.place.sluice([
        ...elsewhere.slice(0, 2),
        job('people'),
        ...elsewhere.slice(3),
      ]);
      expect(renamed.code, renamed.stderr).toBe(0);
      expect(await inServer('slot_name')).toBe('mine');
      await ok('cdc', 'drop', job('people', { slot: 'mine', publication: 'mine' }), '--yes', '--force');
      expect(await inServer('slot_name')).toBe('');
      expect(await publications()).toBe('');
      expect(await running.ended).toEqual({ code: 4, signal: null });
      expect(running.stdout).toContain('SLUICE-PG-0046');
    },
    3 * MINUTES,
  );

  it(
    'of our own name are dropped beside a publication that the job names, which stays',
    async () => {
      await followed.atSource('CREATE PUBLICATION theirs FOR TABLE people');
      const file = job('people', { publication: 'theirs' });
      await ok('run', file, '--quiet');
      expect(await ok('cdc', 'drop', file, '--yes')).toContain('pg_drop_replication_slot');
      expect([await inServer('slot_name'), await publications()]).toEqual(['', 'theirs']);
    },
    MINUTES,
  );

  it(
    'of our own name are not dropped while somebody reads them',
    async () => {
      const file = job();
      const running = followed.place.start(['run', file, '--follow', '--json']);
      await running.until((stdout) => stdout.includes('"log.lag"'));
      const busy = await followed.place.sluice(['cdc', 'drop', file, '--yes', '--state', 'elsewhere.db']);
      expect([busy.code, busy.stderr]).toEqual([75, expect.stringContaining('SLUICE-PG-0050')]);
      expect(await inServer('active')).toBe('t');
      running.signal('SIGTERM');
      await running.ended;
    },
    2 * MINUTES,
  );
});

describeWithServer(
  'postgres-15',
  (server) => {
    it(
      'that the server gave up are shown as lost, and a full refresh repairs that with one command',
      async () => {
        const followed = await FollowedDatabase.create(
          server(),
          'CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2)',
        );
        const sql = (text: string) => followed.atSource(text);
        const file = followed.job('lost', { lake: { write: 'upsert' } });
        await followed.run(file);
        await sql('DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3)');
        const isLost = "SELECT wal_status FROM pg_replication_slots WHERE slot_name LIKE 'sluice_lost%'";
        for (let i = 0; i < 20 && (await sql(isLost)) !== 'lost'; i++) {
          await sql("SELECT pg_logical_emit_message(false, 'x', 'y')");
          await sql('SELECT pg_switch_wal()');
          await sql('CHECKPOINT');
        }
        const slots = await followed.place.sluice(['cdc', 'slots', file]);
        expect(slots.stdout).toMatch(/sluice_lost_main_\w+ .* lost /);
        expect((await followed.ends(4, file)).error?.code).toBe('SLUICE-PG-0046');
        await followed.run(file, '--full-refresh');
        await sql('INSERT INTO t VALUES (4)');
        await followed.run(file);
        expect(await followed.place.query('lake.duckdb', 'SELECT id FROM public.t ORDER BY id')).toEqual([
          [2],
          [3],
          [4],
        ]);
        await followed.remove();
      },
      2 * MINUTES,
    );
  },
  { settings: { max_slot_wal_keep_size: '1MB', max_wal_size: '32MB', min_wal_size: '32MB' } },
);
