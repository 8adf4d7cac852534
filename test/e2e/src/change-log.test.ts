/** Changes that are appended: a log of them in every kind of target, which is replayed by SQL. */
import type { JobSpec } from '@sluice/sdk';
import {
  describeWithServer,
  dumpDuckdb,
  dumpParquet,
  dumpPostgres,
  expectSameRows,
  killAt,
  needsPythonReaders,
  type Program,
  seededRandom,
} from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AUDITED, EACH_AGAIN, ITEMS, writing } from './audited-items.js';
import { resultOf, SLUICE, Workspace } from './cli-workspace.js';
import { dropSlots } from './drop-slots.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let place: Workspace;
  let source: string;
  let target: string;

  beforeEach(async () => {
    place = new Workspace();
    source = await server().createDatabase();
    target = await server().createDatabase();
  });
  afterEach(async () => {
    await dropSlots(atSource);
    place.remove();
  });

  const atSource = (sql: string) => server().psql(sql, source);
  const inTarget = (sql: string) => server().psql(sql, target);

  function job(
    sinks: readonly ('copy' | 'lake' | 'files')[] = ['copy'],
    more: Partial<JobSpec> = {},
  ): string {
    const all = {
      copy: { to: 'copy', write: 'append' },
      lake: { to: 'lake', write: 'append' },
      files: { to: 'files', write: 'append', name: '{stream}' },
    } as const;
    return place.job('job.json', {
      name: 'log',
      connections: {
        app: { connector: 'postgres', url: source },
        copy: { connector: 'postgres', url: target },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
        files: { connector: 'file', path: 'files', format: 'parquet' },
      },
      flows: {
        main: {
          source: 'app',
          mode: 'cdc',
          streams: { 'public.items': {} },
          sinks: Object.fromEntries(sinks.map((name) => [name, all[name]])),
        },
      },
      delivery: { require: 'exactly-once', commit: { rows: 40 } },
      ...more,
    } as JobSpec);
  }

  function program(file: string): Program {
    return { command: process.execPath, args: [SLUICE, 'run', file, '--quiet'], cwd: place.folder };
  }

  async function run(file: string, code = 0) {
    const exit = await place.sluice(['run', file, '--quiet']);
    expect(exit.code, exit.stderr + exit.stdout).toBe(code);
    return resultOf(exit.stdout);
  }

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
    const wanted = await dumpPostgres(source, 'SELECT id::text AS id, name, md5(bio) AS bio FROM items');
    const logs = {
      copy: await dumpPostgres(target, replay('items')),
      lake: await dumpDuckdb(place.path('lake.duckdb'), replay('public.items')),
      files: await dumpParquet(place.path('files/items/*.parquet'), replay('files'), 'duckdb'),
    };
    for (const [name, log] of Object.entries(logs)) {
      expectSameRows(wanted, log, { expected: 'source', actual: `replayed ${name}` });
    }
  }

  it(
    'has a row for every change, in Postgres, DuckDB and Parquet',
    async () => {
      await atSource(ITEMS);
      const file = job(['copy', 'lake', 'files']);
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
      const again = await place.sluice(['run', file, '--quiet', '--full-refresh']);
      expect(again.code, again.stderr + again.stdout).toBe(0);
      await expectReplayed();
    },
    3 * MINUTES,
  );

  /**
   * Since the last copy, the log has of every key exactly what the audit has behind some place, and that place is where
   * the copy stands: each change once, none missing. Of the time before, no change is there twice.
   */
  async function expectEachOnce(): Promise<void> {
    const lines = (text: string) => text.split('\n').filter((line) => line !== '');
    const byKey = (text: string) => {
      const events = new Map<string, string[]>();
      for (const line of lines(text)) {
        const [id, event] = line.split('|') as [string, string];
        events.set(id, [...(events.get(id) ?? []), event]);
      }
      return events;
    };
    const audit = byKey(
      await atSource("SELECT id, op || ' ' || COALESCE(v::text, '') FROM audit ORDER BY seq"),
    );
    const log = byKey(
      await inTarget(
        `SELECT id, _op || ' ' || COALESCE(v::text, '') FROM items
         WHERE id IS NOT NULL AND _position > COALESCE((SELECT max(_position) FROM items WHERE _op = 'truncate'), '')
         ORDER BY _position COLLATE "C"`,
      ),
    );
    let changes = 0;
    for (const [id, made] of audit) {
      const [first, ...rest] = log.get(id) ?? [];
      const copied = first?.startsWith('copy ') ? first.replace('copy ', '') : undefined;
      const logged = copied === undefined ? (log.get(id) ?? []) : rest;
      changes += logged.length;
      const behind = made.slice(made.length - logged.length);
      expect(logged, `changes of ${id}`).toEqual(behind);
      const last = made[made.length - logged.length - 1];
      expect(last?.split(' ')[1] ?? '', `the copy of ${id}`).toBe(copied ?? '');
    }
    expect([...log.keys()].filter((id) => !audit.has(id))).toEqual([]);
    expect(changes).toBeGreaterThan(100);
    expect(
      await inTarget("SELECT v FROM items WHERE _op IN ('insert', 'update') GROUP BY v HAVING count(*) > 1"),
    ).toBe('');
  }

  it(
    'has each change once, while many are made and the run is killed',
    async () => {
      await atSource(AUDITED);
      const random = seededRandom(23);
      const file = job(['copy']);
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
        await expectEachOnce();
      };
      await whileWriting(async () => {
        await killAt(program(file), 'commit.before-ledger@1');
        await killAt(program(file), 'commit.after-ledger@1');
        for (let i = 0; i < 3; i++) await run(file);
      });
      // The table is copied once more, and the run killed at each step of that.
      await whileWriting(async () => {
        for (const point of ['plan.before-planned@1', 'prepare.after-schema@1', 'commit.before-ledger@1']) {
          expect((await place.sluice(['resync', 'job.json', 'public.items'])).code).toBe(0);
          await killAt(program(file), point);
        }
        for (let i = 0; i < 3; i++) await run(file);
      });
    },
    5 * MINUTES,
  );
});
