/** Changes that are read from a place of the log on, without a copy of the past. */
import type { JsonObject } from '@sluice/sdk';
import { describeWithServer } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;
const LARGE = 'SELECT string_agg(md5(i::text), NULL) FROM generate_series(1, 400) i';
const CONTENTS = 'SELECT id, name, length(bio) FROM items ORDER BY id';

describeWithServer('postgres-15', (server) => {
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(
      server(),
      `CREATE TABLE items (id integer PRIMARY KEY, name text, bio text);
       ALTER TABLE items ALTER bio SET STORAGE EXTERNAL;
       INSERT INTO items SELECT i, 'old', (${LARGE}) FROM generate_series(1, 3) i`,
    );
  });
  afterEach(() => followed.remove());

  const atSource = (sql: string) => followed.atSource(sql);
  const inTarget = (sql: string) => followed.inTarget(sql);

  const job = (from: string, app: JsonObject = {}, write: 'upsert' | 'append' = 'upsert') =>
    followed.job(
      'from',
      { copy: { write } },
      { app, streams: ['public.items', 'public.more*'], changes: { from } },
    );

  async function run(file: string): Promise<string> {
    const { code, stderr, stdout } = await followed.place.sluice(['run', file]);
    expect(code, stderr + stdout).toBe(0);
    return stderr;
  }

  it(
    'from now: what was there before comes when it changes, whole',
    async () => {
      const file = job('now');
      await run(file);
      expect(await inTarget(CONTENTS)).toBe('');
      await atSource(`INSERT INTO items VALUES (4, 'new', NULL); UPDATE items SET name = 'changed' WHERE id = 2;
        UPDATE items SET name = 'changed', id = 30 WHERE id = 3; DELETE FROM items WHERE id = 1`);
      await run(file);
      const changed = '2|changed|12800\n4|new|\n30|changed|12800';
      expect(await inTarget(CONTENTS)).toBe(changed);
      await atSource(
        "CREATE TABLE more_items (LIKE items INCLUDING ALL); INSERT INTO more_items VALUES (1, 'before', NULL)",
      );
      await run(file);
      await atSource("INSERT INTO more_items VALUES (2, 'behind', NULL)");
      await run(file);
      expect(await inTarget('SELECT id, name FROM more_items')).toBe('2|behind');
      const asked = await followed.place.sluice(['resync', file, 'public.items']);
      expect(asked.code, asked.stderr).toBe(0);
      expect(await run(file)).toContain('public.items is not copied');
      expect(await inTarget(CONTENTS)).toBe(changed);
    },
    5 * MINUTES,
  );

  it(
    'from a place: what has been changed behind it, and a log of that has each change once',
    async () => {
      await atSource(`CREATE PUBLICATION taken FOR TABLE items;
        SELECT pg_create_logical_replication_slot('from_taken', 'pgoutput')`);
      await atSource("INSERT INTO items VALUES (4, 'first', NULL)");
      const behind = await atSource('SELECT pg_current_wal_insert_lsn()');
      await atSource(
        "INSERT INTO items VALUES (5, 'second', NULL); UPDATE items SET name = 'third' WHERE id = 4",
      );
      const file = job(behind, { slot: 'from_taken', publication: 'taken' }, 'append');
      await run(file);
      await atSource('DELETE FROM items WHERE id = 5');
      await run(file);
      expect(await inTarget('SELECT _op, id, name FROM items ORDER BY _position')).toBe(
        'insert|5|second\nupdate|4|third\ndelete|5|',
      );
    },
    5 * MINUTES,
  );

  it('is refused for places that the slot does not have, and for what is none', async () => {
    const early = await atSource('SELECT pg_current_wal_insert_lsn()');
    await atSource(`INSERT INTO items VALUES (4, 'first', NULL); CREATE PUBLICATION taken FOR TABLE items;
      SELECT pg_create_logical_replication_slot('from_taken', 'pgoutput')`);
    const given = { slot: 'from_taken', publication: 'taken' };
    const gone = await followed.place.sluice(['run', job(early, given), '--quiet']);
    expect(gone.stderr).toContain('SLUICE-PG-0046');
    const time = await followed.place.sluice(['plan', job('2026-01-01', given)]);
    expect(time).toMatchObject({ code: 2, stderr: expect.stringContaining('SLUICE-PG-0062') });
  });
});
