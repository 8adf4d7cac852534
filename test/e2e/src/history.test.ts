/** Targets that keep what was: rows that are deleted at the source, and every version of a row. */
import { describeWithServer, expectSameRows, killAt, needsPythonReaders, seededRandom } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AUDITED, EACH_AGAIN, ITEMS, writing } from './audited-items.js';
import { cellsOf, versionsOfEach } from './every-version.js';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(server());
  });
  afterEach(() => followed.remove());

  const atSource = (sql: string) => followed.atSource(sql);
  const run = (file: string) => followed.run(file);

  const job = (keep: { write: 'upsert'; deletes: 'soft' } | { write: 'history' }) =>
    followed.job(
      'kept',
      { copy: keep, lake: keep },
      { streams: { 'public.items': {} }, delivery: { require: 'exactly-once', commit: { rows: 40 } } },
    );

  async function expectInTargets(
    sql: string,
    wanted: readonly (readonly (string | null)[])[],
  ): Promise<void> {
    for (const [name, dump] of Object.entries(await followed.dumpTargets(sql)))
      expect(cellsOf(dump), name).toEqual(wanted);
  }

  it(
    'keeps rows that are deleted, with the time at which that was',
    async () => {
      await atSource(`${ITEMS}; INSERT INTO items VALUES (4, 'item 4', NULL), (5, 'item 5', NULL)`);
      const file = job({ write: 'upsert', deletes: 'soft' });
      await run(file);
      const verified = await followed.place.sluice(['verify', file]);
      expect(verified).toMatchObject({ code: 2, stderr: expect.stringContaining('SLUICE-CORE-0152') });
      const state = `SELECT CAST(id AS text) AS id, name, CAST(length(bio) AS text) AS bio, CAST(_deleted_at IS NOT NULL AS text) AS gone
        FROM public.items ORDER BY 1`;
      const before = await atSource('SELECT clock_timestamp()');
      await atSource(
        `DELETE FROM items WHERE id = 1; UPDATE items SET id = 22, name = 'moved' WHERE id = 2; UPDATE items SET name = 'new' WHERE id = 3;
         DELETE FROM items WHERE id = 4; INSERT INTO items VALUES (4, 'back', 'b');
         INSERT INTO items VALUES (6, 'short', 'b'); DELETE FROM items WHERE id = 6`,
      );
      await run(file);
      const after = await atSource('SELECT clock_timestamp()');
      await expectInTargets(state, [
        ['1', 'item 1', '3200', 'true'],
        ['2', 'item 2', '3200', 'true'],
        ['22', 'moved', '3200', 'false'],
        ['3', 'new', '3200', 'false'],
        ['4', 'back', '1', 'false'],
        ['5', 'item 5', null, 'false'],
        ['6', 'short', '1', 'true'],
      ]);
      const times = `SELECT CAST(bool_and(_deleted_at BETWEEN '${before}' AND '${after}') AS text) AS within FROM public.items WHERE _deleted_at IS NOT NULL`;
      await expectInTargets(times, [['true']]);
      await atSource(
        "BEGIN; INSERT INTO items VALUES (7, 'just', NULL); TRUNCATE items; INSERT INTO items VALUES (1, 'again', NULL); COMMIT",
      );
      await run(file);
      const living = 'SELECT CAST(id AS text) AS id, name FROM public.items WHERE _deleted_at IS NULL';
      await expectInTargets(living, [['1', 'again']]);
      await expectInTargets('SELECT CAST(count(*) AS text) AS n FROM public.items', [['8']]);
      // A copy of everything says as well what is gone.
      await atSource("INSERT INTO items VALUES (2, 'two', NULL), (3, 'three', NULL)");
      await run(file);
      expect((await followed.place.sluice(['resync', 'job.json', 'public.items'])).code).toBe(0);
      await atSource('DELETE FROM items WHERE id = 2');
      await run(file);
      await expectInTargets(`${living} ORDER BY 1`, [
        ['1', 'again'],
        ['3', 'three'],
      ]);
    },
    3 * MINUTES,
  );

  it(
    'keeps every version of a row, while many are made and the run is killed',
    async () => {
      await atSource(AUDITED);
      const random = seededRandom(31);
      const file = job({ write: 'history' });
      let ends = false;
      const writers = [0, 1, 2, 3].map(async (writer) => {
        while (!ends) await atSource(writing(writer, random, 30));
      });
      await killAt(followed.program(file), 'commit.after-ledger@1');
      await run(file);
      for (const point of ['commit.before-ledger@1', 'commit.after-ledger@2']) {
        await killAt(followed.program(file), point);
        await run(file);
      }
      ends = true;
      await Promise.all(writers);
      await atSource(EACH_AGAIN);
      await run(file);
      expect(await versionsOfEach(followed)).toBeGreaterThan(20);
      const now = await followed.dumpSource('SELECT id::text AS id, name, md5(bio) AS bio FROM items');
      const current =
        'SELECT CAST(id AS text) AS id, name, md5(bio) AS bio FROM public.items WHERE _valid_to IS NULL';
      for (const [name, dump] of Object.entries(await followed.dumpTargets(current))) {
        expectSameRows(now, dump, { expected: 'source', actual: `last versions in ${name}` });
      }
      await atSource(
        "BEGIN; INSERT INTO items VALUES (-7, 'just', NULL); TRUNCATE items; INSERT INTO items VALUES (1, 'after', NULL); COMMIT",
      );
      await run(file);
      // What has come and gone in one transaction was never there.
      await expectInTargets("SELECT CAST(id AS text) AS id FROM public.items WHERE name = 'just'", []);
      await expectInTargets(
        'SELECT CAST(id AS text) AS id FROM public.items WHERE _valid_to <= _valid_from',
        [],
      );
      await expectInTargets('SELECT CAST(id AS text) AS id, name FROM public.items WHERE _valid_to IS NULL', [
        ['1', 'after'],
      ]);
    },
    5 * MINUTES,
  );
});
