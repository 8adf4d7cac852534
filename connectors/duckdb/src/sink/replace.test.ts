/** Replacing: what readers see, when, and what becomes of the table. */
import { describe, expect, it } from 'vitest';
import { load, SinkJobRun, sql } from '../testing/harness.js';
import { inFile, kept, people, SCHEMA, target } from '../testing/people.js';

describe('replace', () => {
  const replace = { write: 'replace' } as const;

  it('shows a generation when it is published, and not before', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      expect(run.plan.publish).toBe('swap');
      await run.commit([people([2, 'new'])]);
      expect(await kept(run, 'SELECT name FROM main.target')).toEqual([{ name: 'old' }]);
      await run.publish();
      expect(await kept(run, 'SELECT name FROM main.target')).toEqual([{ name: 'new' }]);
      await run.publish();
      await run.publish();
      await run.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'new', n: null }]);
      const left = await sql(
        file,
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '\\_sluice\\_%\\_g%' ESCAPE '\\'",
      );
      expect(left).toEqual([]);
    });
  });

  it('goes on with a generation that was not published, and drops one that another has passed', async () => {
    await inFile(async (file) => {
      const first = await SinkJobRun.start(file, SCHEMA, replace);
      await first.commit([people([1, 'kept'])]);
      await first.end();
      const second = await SinkJobRun.start(file, SCHEMA, { ...replace, fence: 2n });
      await second.commit([people([2, 'also'])]);
      await second.publish();
      await second.end();
      expect(await target(file)).toHaveLength(2);

      const third = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 3n });
      await third.commit([people([3, 'lost'])]);
      await third.end();
      const fourth = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 3, fence: 4n });
      await fourth.commit([people([4, 'shown'])]);
      await fourth.publish();
      const late = fourth.sink.publish(fourth.job, fourth.plan, 2, { allowEmpty: false }, fourth.c);
      await expect(late).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0012' });
      await fourth.end();
      expect(await target(file)).toEqual([{ id: 4, name: 'shown', n: null }]);
    });
  });

  const hung: readonly (readonly [string, string, RegExp])[] = [
    ['an index', 'CREATE INDEX people_name ON target (name)', /index people_name/],
    ['a default', "ALTER TABLE target ALTER COLUMN name SET DEFAULT 'x'", /default/],
    ['a comment', "COMMENT ON COLUMN target.name IS 'the name'", /comment/],
    ['a column', 'ALTER TABLE target ADD COLUMN mine INTEGER', /no column mine/],
    ['a comment instead of ours', "COMMENT ON TABLE target IS 'my table'", /did not make it/],
    ['a unique index', 'CREATE UNIQUE INDEX u ON target (id)', /index u/],
  ];
  it.each(hung)('refills a table that %s was hung on, and keeps it', async (_, statement, reason) => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'], [2, 'old'])], replace);
      await sql(file, statement, 'SELECT 1');
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      expect(run.plan.publish).toBe('refill');
      expect(run.plan.notes?.join()).toMatch(reason);
      await run.commit([people([1, 'new'])]);
      await run.publish();
      await run.publish();
      await run.end();
      expect(await target(file)).toMatchObject([{ id: 1, name: 'new' }]);
      const again = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 3, fence: 3n });
      expect(again.plan.publish).toBe('refill');
      await again.end();
    });
  });

  it('swaps under views, and fills a table of somebody else with a key', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      await sql(file, 'CREATE VIEW names AS SELECT name FROM target', 'SELECT 1');
      await load(file, SCHEMA, [people([2, 'new'])], { ...replace, generation: 2, fence: 2n });
      expect(await sql(file, 'FROM names')).toEqual([{ name: 'new' }]);

      await sql(
        file,
        'CREATE TABLE theirs (id BIGINT PRIMARY KEY, name VARCHAR, n HUGEINT)',
        "INSERT INTO theirs VALUES (7, 'x', 1)",
        'SELECT 1',
      );
      const mine = { ...replace, target: 'main.theirs', job: 'other' };
      await load(file, SCHEMA, [people([7, 'y'], [8, 'z'])], mine);
      expect(await sql(file, 'SELECT id, name FROM theirs ORDER BY id')).toEqual([
        { id: '7', name: 'y' },
        { id: '8', name: 'z' },
      ]);
      const keys = await sql(
        file,
        "SELECT constraint_text FROM duckdb_constraints() WHERE table_name = 'theirs' AND constraint_type = 'PRIMARY KEY'",
      );
      expect(keys).toHaveLength(1);
    });
  });

  it('does not replace rows by none unless it may', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      await expect(run.publish()).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0023', class: 'contract' });
      await run.publish(true);
      await run.end();
      expect(await target(file)).toEqual([]);
    });
  });

  it('takes rows of the generation back when the source clears', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, replace);
      await run.commit([
        people([1, 'a'], [2, 'b'], [3, 'c']),
        { kind: 'clear', stream: 'people', range: { from: 2 } },
        people([2, 'B']),
      ]);
      await run.publish();
      await run.end();
      expect((await target(file)).map((row) => row['name'])).toEqual(['a', 'B']);
    });
  });
});
