/** What the log of every version has to give: quiet databases let go of it, and messages in it are nobody's rows. */
import { describeWithServer, psql } from '@sluice/test';
import { expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { LogJob } from '../testing/read-log.js';

/** Twenty megabytes of log. */
const NOISE =
  "SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 10000))) FROM generate_series(1, 2000)";

for (const version of ['14', '15', '16', '17', '18'] as const) {
  describeWithServer(`postgres-${version}`, (server) => {
    it('a quiet database lets go of the log that others write, while it is followed and run by run', async () => {
      const url = await server().createDatabase();
      const other = await server().createDatabase();
      await psql(url, 'CREATE TABLE t (id integer PRIMARY KEY)');
      const slot = `quiet_${version}`;
      const source = openSource(url, { slot });
      const job = await LogJob.begin(source, 'public.t');
      const place = async (column: string) =>
        (
          await psql(url, `SELECT ${column} - '0/0' FROM pg_replication_slots WHERE slot_name = '${slot}'`)
        ).trim();
      const both = async () => ({
        confirmed: BigInt(await place('confirmed_flush_lsn')),
        kept: BigInt(await place('restart_lsn')),
      });
      const disturb = () => psql(other, `${NOISE}; CHECKPOINT; ${NOISE}`);
      const begin = await both();

      const reader = await source.open(job.request({ unending: true }), testContext());
      let position: string | undefined;
      const reading = (async () => {
        for await (const message of reader) {
          expect(message.kind).toBe('checkpoint');
          if (message.kind !== 'checkpoint') continue;
          position = message.position as string;
          await reader.ack!(position);
        }
      })();
      await disturb();
      const moved = async (from: bigint, column: string) => BigInt(await place(column)) - from;
      await expect
        .poll(() => moved(begin.confirmed, 'confirmed_flush_lsn'), { timeout: 20_000 })
        .toBeGreaterThan(16_000_000n);
      // What is kept moves with what running transactions are logged behind it: at the next checkpoint.
      await psql(other, 'CHECKPOINT');
      await disturb();
      await expect
        .poll(() => moved(begin.kept, 'restart_lsn'), { timeout: 20_000 })
        .toBeGreaterThan(16_000_000n);
      await reader.close();
      await reading;

      const between = await both();
      await disturb();
      await job.read({ at: position! });
      await expect
        .poll(() => moved(between.confirmed, 'confirmed_flush_lsn'), { timeout: 20_000 })
        .toBeGreaterThan(30_000_000n);
      await source.close();
      await psql(url, `SELECT pg_drop_replication_slot('${slot}')`);
    }, 90_000);

    it('messages in the log stand between rows, alone or last, and change nothing', async () => {
      const url = await server().createDatabase();
      await psql(url, 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
      const slot = `messages_${version}`;
      const source = openSource(url, { slot });
      const job = await LogJob.begin(source, 'public.t');
      const message = (transactional: boolean, size: number) =>
        `SELECT length(pg_logical_emit_message(${transactional}, 'sluice', repeat('m', ${size}))::text) > 0`;
      await psql(
        url,
        `${message(true, 10)}; ${message(false, 10)};
         BEGIN; INSERT INTO t VALUES (1, 'a'); ${message(true, 300_000)}; INSERT INTO t VALUES (2, 'b');
         ${message(false, 300_000)}; UPDATE t SET v = 'c' WHERE id = 1; COMMIT;
         BEGIN; ${message(false, 5)}; INSERT INTO t VALUES (9, 'never'); ${message(true, 5)}; ROLLBACK;
         BEGIN; ${message(true, 1)}; ${message(true, 0)}; COMMIT; DELETE FROM t WHERE id = 2; ${message(true, 70_000)}; ${message(false, 1)}`,
      );
      const rows = (await job.rows()).map(({ op, row }) => [op, row['id'], row['v']]);
      expect(rows).toEqual([
        ['insert', 1, 'a'],
        ['insert', 2, 'b'],
        ['update', 1, 'c'],
        ['delete', 2, null],
      ]);
      expect(await job.rows()).toEqual([]);
      await psql(url, `${message(true, 3)}; INSERT INTO t VALUES (3, 'd')`);
      expect((await job.rows()).map(({ row }) => row)).toEqual([{ id: 3, v: 'd' }]);
      await source.close();
      await psql(url, `SELECT pg_drop_replication_slot('${slot}')`);
    });
  });
}
