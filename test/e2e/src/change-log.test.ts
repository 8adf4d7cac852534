/** Changes that are appended: a log of them in every kind of target, which is replayed by SQL. */
import {
  describeWithServer,
  dumpParquet,
  expectSameRows,
  killAt,
  needsPythonReaders,
  seededRandom,
} from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AUDITED, EACH_AGAIN, ITEMS, writing } from './audited-items.js';
import { changesOnce } from './changes-once.js';
import { FollowedDatabase, type FollowedSinks } from './followed-database.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(server());
  });
  afterEach(() => followed.remove());

  const atSource = (sql: string) => followed.atSource(sql);
  const inTarget = (sql: string) => followed.inTarget(sql);
  const run = (file: string) => followed.run(file);

  const append = { write: 'append' } as const;
  const job = (sinks: FollowedSinks) =>
    followed.job('log', sinks, {
      streams: { 'public.items': {} },
      delivery: { require: 'exactly-once', commit: { rows: 40 } },
    });

  /** The rows that a log ends in: the last of each key, behind the last time that all were removed. */
  const replay = (log: string) => `
    SELECT CAST(id AS text) AS id, name, md5((SELECT b.bio FROM ${log} b
       WHERE b.id = l.id AND b._position <= l._position AND COALESCE(CAST(b._unchanged AS text), '') NOT LIKE '%"bio"%'
       ORDER BY b._position DESC LIMIT 1)) AS bio
    FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY _position DESC) AS n FROM ${log}
          WHERE id IS NOT NULL
            AND _position > COALESCE((SELECT max(_position) FROM ${log} WHERE _op = 'truncate'), '')) l
    WHERE n = 1 AND _op <> 'delete'`;

  async function expectReplayed(): Promise<void> {
    const wanted = await followed.dumpSource('SELECT id::text AS id, name, md5(bio) AS bio FROM items');
    const logs = {
      ...(await followed.dumpTargets(replay('public.items'))),
      files: await dumpParquet(followed.place.path('files/items/*.parquet'), replay('files'), 'duckdb'),
    };
    for (const [name, log] of Object.entries(logs)) {
      expectSameRows(wanted, log, { expected: 'source', actual: `replayed ${name}` });
    }
  }

  it(
    'has a row for every change, in Postgres, DuckDB and Parquet',
    async () => {
      await atSource(ITEMS);
      const file = job({ copy: append, lake: append, files: { ...append, name: '{stream}' } });
      await run(file);
      await atSource(
        `UPDATE items SET name = 'x' WHERE id = 1; UPDATE items SET id = 9 WHERE id = 2; DELETE FROM items WHERE id = 3;
         BEGIN; INSERT INTO items VALUES (4, 'new', NULL); UPDATE items SET bio = 'b' WHERE id = 4; COMMIT`,
      );
      await run(file);
      const log = await inTarget(
        'SELECT _op, id, name, length(bio), _unchanged, _committed_at IS NOT NULL FROM items ORDER BY _position COLLATE "C", id',
      );
      expect(log.split('\n')).toEqual([
        'copy|1|item 1|3200||t',
        'copy|2|item 2|3200||t',
        'copy|3|item 3|3200||t',
        'update|1|x||["bio"]|t',
        'delete|2||||t',
        'insert|9|item 2|3200||t',
        'delete|3||||t',
        'insert|4|new|||t',
        'update|4|new|1||t',
      ]);
      await expectReplayed();
      // Changes of one transaction share their time, and follow each other.
      expect(
        await inTarget(
          'SELECT count(DISTINCT _committed_at), count(DISTINCT _position) FROM items WHERE id = 4',
        ),
      ).toBe('1|2');
      await atSource("TRUNCATE items; INSERT INTO items VALUES (5, 'behind', NULL)");
      await run(file);
      expect(await inTarget('SELECT _op, id FROM items ORDER BY _position COLLATE "C" DESC LIMIT 2')).toBe(
        'insert|5\ntruncate|',
      );
      await expectReplayed();
      await atSource("ALTER TABLE items ADD extra integer; UPDATE items SET extra = 7, name = 'shaped'");
      await run(file);
      expect(await inTarget('SELECT name, extra FROM items WHERE extra IS NOT NULL')).toBe('shaped|7');
      await expectReplayed();
      // A copy of everything begins the log anew, without what was changed while nobody kept it.
      await atSource(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'sluice_log%'; DELETE FROM items; INSERT INTO items VALUES (6, 'anew', NULL)",
      );
      await followed.run(file, '--full-refresh');
      await expectReplayed();
    },
    3 * MINUTES,
  );

  it(
    'has each change once, while many are made and the run is killed',
    async () => {
      await atSource(AUDITED);
      const random = seededRandom(23);
      const file = job({ copy: append });
      const whileWriting = async (work: () => Promise<void>) => {
        let ends = false;
        const writers = [0, 1, 2, 3].map(async (writer) => {
          while (!ends) await atSource(writing(writer, random, 30));
        });
        await work().finally(() => {
          ends = true;
        });
        await Promise.all(writers);
        await atSource(EACH_AGAIN);
        await run(file);
        expect(await changesOnce(followed)).toBeGreaterThan(100);
      };
      await whileWriting(async () => {
        await killAt(followed.program(file), 'commit.before-ledger@1');
        await killAt(followed.program(file), 'commit.after-ledger@1');
        for (let i = 0; i < 3; i++) await run(file);
      });
      // The table is copied once more, and the run killed at each step of that.
      await whileWriting(async () => {
        for (const point of ['plan.before-planned@1', 'prepare.after-schema@1', 'commit.before-ledger@1']) {
          expect((await followed.place.sluice(['resync', 'job.json', 'public.items'])).code).toBe(0);
          await killAt(followed.program(file), point);
        }
        for (let i = 0; i < 3; i++) await run(file);
      });
    },
    5 * MINUTES,
  );
});
