/** Targets that keep what was: rows that are deleted at the source, and every version of a row. */
import type { JobSpec } from '@sluice/sdk';
import {
  type Dump,
  describeWithServer,
  dumpDuckdb,
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

  /** The rows of a dump, each in its cells; no value has a comma in it. */
  const cellsOf = ({ rows }: Dump) =>
    rows.map((line) => line.split(',').map((cell) => (cell === '' ? null : cell.replaceAll('"', ''))));

  /** The rows by their first cell, in the order of the second. */
  const byKey = (dump: Dump) => {
    const found = new Map<string, (string | null)[][]>();
    for (const [key, ...cells] of cellsOf(dump).sort((a, b) => Number(a[1]) - Number(b[1])))
      found.set(key!, [...(found.get(key!) ?? []), cells]);
    return found;
  };

  /** What a query finds in each target, by readers that are not ours. */
  const inTargets = async (sql: string) => ({
    copy: await dumpPostgres(target, sql),
    lake: await dumpDuckdb(place.path('lake.duckdb'), sql),
  });

  function job(keep: { write: 'upsert'; deletes: 'soft' } | { write: 'history' }): string {
    return place.job('job.json', {
      name: 'kept',
      connections: {
        app: { connector: 'postgres', url: source },
        copy: { connector: 'postgres', url: target },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
      },
      flows: {
        main: {
          source: 'app',
          mode: 'cdc',
          streams: { 'public.items': {} },
          sinks: {
            copy: { to: 'copy', name: 'public.items', ...keep },
            lake: { to: 'lake', name: 'public.items', ...keep },
          },
        },
      },
      delivery: { require: 'exactly-once', commit: { rows: 40 } },
    } as JobSpec);
  }

  function program(file: string): Program {
    return { command: process.execPath, args: [SLUICE, 'run', file, '--quiet'], cwd: place.folder };
  }

  async function run(file: string, ...more: string[]) {
    const exit = await place.sluice(['run', file, '--quiet', ...more]);
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    return resultOf(exit.stdout);
  }

  async function expectInTargets(
    sql: string,
    wanted: readonly (readonly (string | null)[])[],
  ): Promise<void> {
    for (const [name, dump] of Object.entries(await inTargets(sql)))
      expect(cellsOf(dump), name).toEqual(wanted);
  }

  it(
    'keeps rows that are deleted, with the time at which that was',
    async () => {
      await atSource(`${ITEMS}; INSERT INTO items VALUES (4, 'item 4', NULL), (5, 'item 5', NULL)`);
      const file = job({ write: 'upsert', deletes: 'soft' });
      await run(file);
      const verified = await place.sluice(['verify', file]);
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
      expect((await place.sluice(['resync', 'job.json', 'public.items'])).code).toBe(0);
      await atSource('DELETE FROM items WHERE id = 2');
      await run(file);
      await expectInTargets(`${living} ORDER BY 1`, [
        ['1', 'again'],
        ['3', 'three'],
      ]);
    },
    3 * MINUTES,
  );

  /**
   * By key, what it was at the end of each transaction that changed it: the number of its state, its large value, and
   * whether it came by a change of the key.
   */
  const MADE = `SELECT id, seq, v, bio, (SELECT moved FROM audit b WHERE b.seq = born) AS moved FROM (
      SELECT *, lead(tx) OVER (PARTITION BY id ORDER BY seq) AS next,
             max(seq) FILTER (WHERE op <> 'update') OVER (PARTITION BY id ORDER BY seq) AS born FROM audit) a
    WHERE next IS DISTINCT FROM tx`;
  const KEPT = `SELECT CAST(id AS text) AS id, CAST(row_number() OVER (ORDER BY _valid_from) AS text) AS n, CAST(v AS text) AS v, md5(bio) AS bio, CAST(_valid_to IS NULL AS text) AS is_last,
      CAST(_valid_to = lead(_valid_from) OVER (PARTITION BY id ORDER BY _valid_from) AS text) AS meets,
      CAST(_valid_from < COALESCE(_valid_to, 'infinity') AS text) AS lasts
    FROM public.items`;

  async function expectVersions(): Promise<void> {
    const made = byKey(await dumpPostgres(source, MADE));
    for (const [name, kept] of Object.entries(await inTargets(KEPT))) {
      const versions = byKey(kept);
      let several = 0;
      for (const [id, states] of made) {
        const own = versions.get(id) ?? [];
        const begin = own.length === 0 ? states.length - 1 : states.findIndex(([, v]) => v === own[0]![1]);
        const wanted = states.slice(begin);
        const living = wanted.filter(([, v]) => v !== null);
        const numbers = own.map(([, v]) => v);
        expect(numbers, `versions of ${id} in ${name}`).toEqual(living.map(([, v]) => v));
        for (const [, v, bio, isLast, meets, lasts] of own) {
          const at = wanted.findIndex((state) => state[1] === v);
          const next = wanted[at + 1];
          // The log does not have the large value of a row that moves: it is what the table has when that is read.
          const [, , was, moved] = wanted[at]!;
          if (moved === null) expect(bio, `bio of ${v} in ${name}`).toBe(was);
          expect([v, isLast, lasts]).toEqual([v, String(next === undefined), 'true']);
          if (next !== undefined && next[1] !== null) expect([v, meets]).toEqual([v, 'true']);
        }
        if (own.length > 2) several++;
      }
      expect(several).toBeGreaterThan(20);
    }
  }

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
      await killAt(program(file), 'commit.after-ledger@1');
      await run(file);
      for (const point of ['commit.before-ledger@1', 'commit.after-ledger@2']) {
        await killAt(program(file), point);
        await run(file);
      }
      ends = true;
      await Promise.all(writers);
      await atSource(EACH_AGAIN);
      await run(file);
      await expectVersions();
      const now = await dumpPostgres(source, 'SELECT id::text AS id, name, md5(bio) AS bio FROM items');
      const current =
        'SELECT CAST(id AS text) AS id, name, md5(bio) AS bio FROM public.items WHERE _valid_to IS NULL';
      for (const [name, dump] of Object.entries(await inTargets(current))) {
        expectSameRows(now, dump, { expected: 'source', actual: `last versions in ${name}` });
      }
      await atSource("BEGIN; TRUNCATE items; INSERT INTO items VALUES (1, 'after', NULL); COMMIT");
      await run(file);
      await expectInTargets('SELECT CAST(id AS text) AS id, name FROM public.items WHERE _valid_to IS NULL', [
        ['1', 'after'],
      ]);
    },
    5 * MINUTES,
  );
});
