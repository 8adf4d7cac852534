/** Reads from a standby, which follows its primary and takes no statement that writes. */
import type { Value } from '@sluice/sdk';
import { describeWithServer, type PostgresServer, psql, startStandby } from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { planRead, planSplits, readParts, readRows } from '../testing/read-split.js';

describeWithServer(
  'postgres-15',
  (server) => {
    let standby: PostgresServer;

    beforeAll(async () => {
      standby = await startStandby(server());
      await conflictsWait(-1);
    });
    afterAll(() => standby?.stop());

    /** How long reads may stand in the way of what the primary has done. */
    async function conflictsWait(milliseconds: number): Promise<void> {
      await standby.psql(`ALTER SYSTEM SET max_standby_streaming_delay = ${milliseconds}`);
      await standby.psql('SELECT pg_reload_conf()');
    }

    /** A database of the primary, and the same one on the standby once that has all of it. */
    async function both(setup: string): Promise<{ primary: string; copy: string }> {
      const primary = await server().createDatabase();
      await psql(primary, setup);
      const url = new URL(primary);
      url.port = String(standby.port);
      await caughtUp();
      return { primary, copy: url.href };
    }

    async function caughtUp(): Promise<void> {
      const lsn = await server().psql('SELECT pg_current_wal_flush_lsn()');
      while ((await standby.psql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`)) !== 't');
    }

    const ROWS = `CREATE TABLE t (id integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), note text);
      INSERT INTO t SELECT i, now() - interval '1 hour', repeat('x', 200) FROM generate_series(1, 2000) i; ANALYZE t`;

    it('is the same database as its primary', async () => {
      const { primary, copy } = await both(ROWS);
      const [one, other] = [openSource(primary), openSource(copy)];
      expect(await other.identity(testContext())).toBe(await one.identity(testContext()));
      await one.close();
      await other.close();
    });

    it.for(['ctid', 'key', 'none'])('whole, by %s, while the primary writes', async (chunk) => {
      const { primary, copy } = await both(ROWS);
      const source = openSource(copy, { splitBytes: 8 * 8192 });
      const read = await planRead(source, 'public.t', { chunk });
      const splits = await planSplits(source, read);
      const ids: Value[] = [];
      for (const [i, split] of splits.entries()) {
        ids.push(...(await readRows(source, read, split)).map(([id]) => id!));
        await psql(
          primary,
          `INSERT INTO t (id) VALUES (${-1 - i}); UPDATE t SET note = 'y' WHERE id % 7 = ${i % 7}`,
        );
      }
      const read2000 = ids.map(Number).filter((id) => id > 0);
      expect(read2000.sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
      await source.close();
    });

    it('by a cursor, lagged, what the primary adds', async () => {
      const { primary, copy } = await both(ROWS);
      const source = openSource(copy);
      const cursor = { column: 'at', clock: 'database' as const, lag: 1 };
      const read = { ...(await planRead(source, 'public.t')), mode: 'incremental' as const, cursor };
      const [plan] = await source.planReads([read], testContext());
      expect(plan!.increments).toBe('lagged');
      expect(plan!.notes.join()).toMatch(/the server is a standby/);
      const [split] = await planSplits(source, read);
      const first = await readParts(source, read, split!);
      expect(first.flatMap(({ rows }) => rows)).toHaveLength(2000);
      await psql(primary, 'INSERT INTO t (id) VALUES (3000), (3001)');
      await caughtUp();
      let { position } = first.at(-1)!;
      const more: Value[] = [];
      while (more.length < 2) {
        const parts = await readParts(source, read, split!, { at: position });
        more.push(...parts.flatMap(({ rows }) => rows.map(([id]) => id!)));
        position = parts.at(-1)!.position;
      }
      expect(more.map(Number).sort()).toEqual([3000, 3001]);
      await source.close();
    });

    it('ends a read that stands in the way of the primary as one that can be repeated', async () => {
      const { primary, copy } = await both(
        `CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 20000) i;
         CREATE VIEW slow AS SELECT id, CASE id WHEN 15000 THEN pg_sleep(600)::text END AS waits FROM t`,
      );
      await conflictsWait(0);
      const source = openSource(copy);
      const read = await planRead(source, 'public.slow');
      const [split] = await planSplits(source, read);
      const reader = await source.open(
        { split: split!, at: null, cuts: [], reads: [read], batchRows: 10, batchBytes: 65_536 },
        testContext(),
      );
      let change: Promise<string> | undefined;
      const reading = (async () => {
        for await (const _ of reader) change ??= psql(primary, 'DELETE FROM t WHERE id % 2 = 0; VACUUM t');
      })();
      await expect(reading).rejects.toMatchObject({ code: 'SLUICE-PG-0014', class: 'transient' });
      await reader.close();
      await change;
      await caughtUp();
      expect(await readRows(source, read, split!)).toHaveLength(10_000);
      await source.close();
    });
  },
  {},
);
