/** What a job lets the source keep of its log, and what is done when it keeps more. */
import type { ChangesSpec, EngineSpec } from '@sluice/sdk';
import { describeWithServer, dumpPostgres, expectSameRows } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventsOf, type Running } from './cli-workspace.js';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(
      server(),
      "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 5000) g",
    );
  });
  afterEach(() => followed.remove());

  const SLOTS = 'SELECT $ FROM pg_replication_slots WHERE database = current_database()';
  const sql = (text: string) => followed.atSource(text);
  const copied = (text: string) => followed.inTarget(text).catch(() => '');
  /** Log that is nobody's, and thirty megabytes of it. */
  const noise = () =>
    sql(
      "SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 10000))) FROM generate_series(1, 3000)",
    );

  const job = (changes: ChangesSpec, more: Partial<EngineSpec> = {}) =>
    followed.job('budget', { copy: { write: 'upsert' } }, { changes, ...more });

  async function expectSame(): Promise<void> {
    const all = 'SELECT * FROM t';
    expectSameRows(await followed.dumpSource(all), await dumpPostgres(followed.target, all), {
      expected: 'source',
      actual: 'copy',
    });
  }

  async function ended(running: Running): Promise<void> {
    running.signal('SIGTERM');
    expect(await running.ended, running.stderr).toEqual({ code: 143, signal: null });
  }

  const overs = ({ stdout }: Running) => eventsOf(stdout).filter(({ event }) => event === 'log.over');

  it(
    'warn: a run tells once, and goes on',
    async () => {
      const running = followed.place.start(['run', job({ keep: '16MB' }), '--follow', '--json']);
      await expect.poll(() => copied('SELECT count(*) FROM t'), { timeout: MINUTES }).toBe('5000');
      // A transaction that stays open holds what the server keeps, whatever is confirmed.
      const open = sql('BEGIN; INSERT INTO t VALUES (-1); SELECT pg_sleep(7); COMMIT');
      await expect
        .poll(() => sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(7)%'"))
        .not.toBe('0');
      await noise();
      await running.until((stdout) => stdout.includes('"log.over"'), MINUTES);
      await open;
      await expect.poll(() => copied('SELECT count(*) FROM t WHERE id = -1'), { timeout: MINUTES }).toBe('1');
      await ended(running);
      const [over, ...others] = overs(running);
      expect(over).toMatchObject({ flow: 'main', keep: 16_000_000, whenOver: 'warn' });
      expect(over).toHaveProperty('kept');
      expect(others).toEqual([]);
      expect(running.stderr).toContain('more than the 16000000 that the job allows');
    },
    3 * MINUTES,
  );

  it(
    'drop-and-copy: the log is given up while tables are copied, and they are copied anew',
    async () => {
      const file = job(
        { keep: '16MB', whenOver: 'drop-and-copy' },
        { rate: { rows: '800/s' }, delivery: { commit: { rows: 100 } } },
      );
      const running = followed.place.start(['run', file, '--json']);
      await running.until((stdout) => stdout.includes('"epoch.committed"'), MINUTES);
      const [slot, before] = (await sql(SLOTS.replace('$', 'slot_name, restart_lsn'))).split('|');
      // Nobody reads of these deletions, once the log is given up.
      await sql('DELETE FROM t WHERE id <= 100');
      await noise();
      await running.until((stdout) => stdout.includes('"log.over"'), MINUTES);
      await expect
        .poll(() => sql(SLOTS.replace('$', `restart_lsn > '${before}' AND slot_name = '${slot}'`)), {
          timeout: MINUTES,
        })
        .toBe('t');
      expect(await running.ended, running.stderr).toEqual({ code: 0, signal: null });
      const events = eventsOf(running.stdout);
      expect(overs(running)).toMatchObject([{ keep: 16_000_000, whenOver: 'drop-and-copy' }]);
      expect(running.stderr).toContain('it is given up, and everything is copied anew');
      const started = events.flatMap((event) => (event.event === 'stream.started' ? [event.generation] : []));
      expect(started).toEqual([1, 2]);
      await expectSame();
      await sql("UPDATE t SET v = 'later' WHERE id > 4000");
      await followed.run(file);
      await expectSame();
    },
    3 * MINUTES,
  );

  it(
    'drop-and-copy: the same while the log is followed, under a reader that a lock at the target holds up',
    async () => {
      const file = job({ keep: '16MB', whenOver: 'drop-and-copy' });
      const running = followed.place.start(['run', file, '--follow', '--json']);
      await expect.poll(() => copied('SELECT count(*) FROM t'), { timeout: MINUTES }).toBe('5000');
      const lock = followed.inTarget('BEGIN; LOCK t; SELECT pg_sleep(7); COMMIT');
      await expect
        .poll(() =>
          copied(
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass",
          ),
        )
        .toBe('1');
      await sql("UPDATE t SET v = 'x' WHERE id = 1");
      await noise();
      await running.until((stdout) => stdout.includes('"log.over"'), MINUTES);
      await lock;
      await sql("DELETE FROM t WHERE id < 50; UPDATE t SET v = 'y' WHERE id = 5000");
      await expect
        .poll(() => copied("SELECT count(*) FILTER (WHERE v = 'y'), count(*) FROM t"), { timeout: MINUTES })
        .toBe('1|4951');
      await ended(running);
      await expectSame();
    },
    3 * MINUTES,
  );
});
