/** Changes that a target refuses: they become dead letters with what they are and where they stood, the others land. */
import type { DeadLetter } from '@sluice/core';
import { describeWithServer, dumpPostgres, expectSameRows } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';
import { dropSlots } from './drop-slots.js';

const MINUTES = 60_000;

describeWithServer('postgres-15', (server) => {
  let place: Workspace;
  let source: string;
  let target: string;

  const atSource = (sql: string) => server().psql(sql, source);
  const atTarget = (sql: string) => server().psql(sql, target);

  beforeEach(async () => {
    place = new Workspace();
    source = await server().createDatabase();
    target = await server().createDatabase();
    await atSource(
      `CREATE TABLE people (id integer PRIMARY KEY, email text, n integer, doc text);
       ALTER TABLE people ALTER doc SET STORAGE EXTERNAL;
       INSERT INTO people SELECT g, 'mail ' || g, g, repeat(md5(g::text), 100) FROM generate_series(1, 60) g;
       CREATE TABLE visits (id integer PRIMARY KEY, n integer); INSERT INTO visits SELECT g, g FROM generate_series(1, 60) g`,
    );
  });
  afterEach(async () => {
    place.remove();
    await dropSlots(atSource);
  });

  async function run() {
    place.job('job.json', {
      name: 'people',
      source: { connector: 'postgres', url: source },
      mode: 'cdc',
      onFailure: 'quarantine',
      sink: { connector: 'postgres', url: target },
      write: 'upsert',
      errors: { max: 6 },
      delivery: { require: 'exactly-once', commit: { every: '200ms' } },
    });
    const exit = await place.sluice(['run', 'job.json', '--quiet']);
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    return resultOf(exit.stdout);
  }

  const letters = async () => {
    const { stdout } = await place.sluice(['dlq', 'list', 'job.json', '--json', '--limit', '1000']);
    return (JSON.parse(stdout) as { letters: DeadLetter[] }).letters;
  };

  const PEOPLE = 'SELECT id::text AS id, email, n::text AS n, md5(doc) AS doc FROM people';
  const dump = (url: string, where = 'true') => dumpPostgres(url, `${PEOPLE} WHERE ${where}`);

  it(
    'of each kind are kept with op and place, also while they are followed, and never those that depend on others',
    async () => {
      await run();
      await atTarget(
        `ALTER TABLE people ADD CONSTRAINT small CHECK (n < 100), ADD CONSTRAINT one_each UNIQUE (email);
         CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'row % stays', OLD.id; END $$;
         CREATE TRIGGER kept BEFORE DELETE ON people FOR EACH ROW WHEN (OLD.id = 5) EXECUTE FUNCTION kept()`,
      );
      // The second change takes over a value that the first has given up: by itself it would be refused.
      await atSource(
        `BEGIN; UPDATE people SET email = 'passed on' WHERE id = 2; UPDATE people SET email = 'mail 2' WHERE id = 3; COMMIT;
         BEGIN; INSERT INTO people VALUES (200, 'new', 500, 'x'); UPDATE visits SET n = 7; COMMIT;
         UPDATE people SET n = 500 WHERE id = 10; DELETE FROM people WHERE id = 5;
         UPDATE people SET id = -20, n = 500 WHERE id = 20; UPDATE people SET n = 50 WHERE id = 30`,
      );
      const { streams, quarantined } = await run();
      expect(quarantined).toBeUndefined();
      expect(streams.map(({ stream, rejected }) => [stream, rejected])).toEqual([
        ['public.people', 4],
        ['public.visits', 0],
      ]);
      const kept = await letters();
      expect(kept.map(({ op, payload, error }) => [op, (payload as { id: number }).id, error.code])).toEqual([
        ['insert', 200, 'SLUICE-PG-0017'],
        ['update', 10, 'SLUICE-PG-0017'],
        ['delete', 5, 'SLUICE-PG-0017'],
        ['move', -20, 'SLUICE-PG-0017'],
      ]);
      const places = kept.map(({ position }) => position!);
      expect(places).toEqual([...places].sort());
      expect(places[0]).toMatch(/^[0-9A-F]{8}\/[0-9A-F]{8}\/[0-9A-F]{8}$/);
      // The refused ones are as they were, all others as they are.
      const refused = 'id IN (200, 10, 5, 20, -20)';
      expectSameRows(await dump(source, `NOT ${refused}`), await dump(target, `NOT ${refused}`), {
        expected: 'source',
        actual: 'target',
      });
      expect(await atTarget(`SELECT id, n FROM people WHERE ${refused} ORDER BY id`)).toBe(
        '5|5\n10|10\n20|20',
      );

      const running = place.start(['run', 'job.json', '--follow', '--quiet']);
      try {
        await atSource(
          `UPDATE people SET n = 500 WHERE id = 40; UPDATE people SET n = 77 WHERE id = 41; UPDATE visits SET n = 8`,
        );
        await expect
          .poll(() => atTarget('SELECT n FROM people WHERE id = 41'), { timeout: MINUTES })
          .toBe('77');
        await atSource('UPDATE people SET n = 78 WHERE id = 41');
        await expect
          .poll(() => atTarget('SELECT n FROM people WHERE id = 41'), { timeout: MINUTES })
          .toBe('78');
      } finally {
        running.signal('SIGTERM');
        await running.ended;
      }
      expect(await letters()).toHaveLength(5);

      const replayed = await place.sluice(['dlq', 'replay', 'job.json']);
      expect(replayed.stdout).toContain(
        '5 letters left: later changes of the same rows may be in the target',
      );
      expect(await letters()).toHaveLength(5);

      await atTarget(
        'ALTER TABLE people DROP CONSTRAINT small, DROP CONSTRAINT one_each; DROP TRIGGER kept ON people',
      );
      expect((await place.sluice(['resync', 'job.json', 'public.people'])).code).toBe(0);
      await run();
      expectSameRows(await dump(source), await dump(target), { expected: 'source', actual: 'target' });
    },
    4 * MINUTES,
  );

  it(
    'that are too many quarantine their stream, and what they are is kept',
    async () => {
      await run();
      await atTarget('ALTER TABLE people ADD CHECK (n < 100)');
      await atSource('UPDATE people SET n = 500 WHERE id > 40; UPDATE visits SET n = 9');
      const { quarantined, streams } = await run();
      expect(quarantined).toMatchObject([{ stream: 'public.people', error: { code: 'SLUICE-CORE-0112' } }]);
      expect(streams.find(({ stream }) => stream === 'public.visits')?.committed).toBe(60);
      expect(await atTarget('SELECT count(*) FROM visits WHERE n = 9')).toBe('60');
      expect((await letters()).length).toBeGreaterThan(6);
    },
    3 * MINUTES,
  );
});
