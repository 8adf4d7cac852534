/** Splits cover every row once, whatever happens to the table meanwhile. */
import type { JsonObject, Split, StreamRead, Value } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSource } from '../testing/open.js';
import { planRead, planSplits, readParts, readRows } from '../testing/read-split.js';
import type { PostgresSource } from './postgres-source.js';

/** 2,000 rows on some 60 blocks. */
const BIG = `CREATE TABLE big (id integer PRIMARY KEY, note text NOT NULL);
  INSERT INTO big SELECT i, repeat('x', 200) FROM generate_series(1, 2000) i; ANALYZE big;`;
const EIGHT_BLOCKS = 8 * 8192;

const ids = (rows: readonly (readonly Value[])[]) =>
  rows.map(([id]) => id).sort((a, b) => Number(a) - Number(b));
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

async function readAll(
  source: PostgresSource,
  read: StreamRead,
  splits: readonly Split[],
): Promise<Value[][]> {
  const rows: Value[][] = [];
  for (const split of splits) rows.push(...(await readRows(source, read, split)));
  return rows;
}

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;

  beforeEach(async () => {
    url = await server().createDatabase();
    source = openSource(url, { splitBytes: EIGHT_BLOCKS });
  });
  afterEach(() => source.close());

  describe('ranges of blocks', () => {
    it('show the instant of the plan while rows are moved, deleted and added', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big');
      const splits = await planSplits(source, read);
      expect(splits.length).toBeGreaterThan(5);
      expect(splits.every((split) => split.volatile)).toBe(true);
      const rows: Value[][] = [];
      for (const [i, split] of splits.entries()) {
        rows.push(...(await readRows(source, read, split)));
        await psql(
          url,
          `UPDATE big SET note = repeat('y', 300) WHERE id % 5 = ${i % 5};
           DELETE FROM big WHERE id % 97 = ${i}; INSERT INTO big VALUES (${10_000 + i}, 'new'); VACUUM big;`,
        );
      }
      expect(ids(rows)).toEqual(upTo(2000));
      expect(new Set(rows.map(([, note]) => note))).toEqual(new Set(['x'.repeat(200)]));
    });

    it('are one split where the table is small', async () => {
      await psql(url, 'CREATE TABLE small (id integer PRIMARY KEY); INSERT INTO small VALUES (1), (2)');
      const read = await planRead(source, 'public.small');
      const splits = await planSplits(source, read);
      expect(splits).toMatchObject([{ id: 'public.small', phase: 'bulk', start: null }]);
      expect(splits[0]!.volatile).toBeUndefined();
      expect(ids(await readAll(source, read, splits))).toEqual([1, 2]);
    });

    it('cover the partitions of a partitioned table', async () => {
      await psql(
        url,
        `CREATE TABLE parted (note text, id integer NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (1000);
         CREATE TABLE "parted.b" (id integer NOT NULL, note text);
         ALTER TABLE parted ATTACH PARTITION "parted.b" FOR VALUES FROM (1000) TO (9999);
         INSERT INTO parted SELECT repeat('x', 200), i FROM generate_series(1, 2000) i;`,
      );
      const read = await planRead(source, 'public.parted');
      const splits = await planSplits(source, read);
      expect(splits.length).toBeGreaterThan(5);
      const rows = await readAll(source, read, splits);
      expect(ids(rows.map(([note, id]) => [id!, note!]))).toEqual(upTo(2000));
    });

    it('end when the table was rewritten since the plan', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big');
      const splits = await planSplits(source, read);
      await psql(url, 'VACUUM FULL big');
      await expect(readRows(source, read, splits[0]!)).rejects.toMatchObject({
        code: 'SLUICE-PG-0035',
        class: 'transient',
      });
    });

    it('end when the snapshot is gone', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big');
      const splits = await planSplits(source, read);
      await source.close();
      const later = openSource(url);
      await expect(readRows(later, read, splits[0]!)).rejects.toMatchObject({
        code: 'SLUICE-PG-0036',
        class: 'transient',
      });
      await later.close();
    });

    it('are refused where they could not be resumed but would have to be', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big', { chunk: 'ctid' }, true);
      await expect(planSplits(source, read)).rejects.toMatchObject({
        code: 'SLUICE-PG-0038',
        class: 'config',
      });
    });

    it('are refused for a view, which is one split otherwise', async () => {
      await psql(url, `${BIG} CREATE VIEW shown AS SELECT * FROM big`);
      const refused = await planRead(source, 'public.shown', { chunk: 'ctid' });
      await expect(planSplits(source, refused)).rejects.toMatchObject({ code: 'SLUICE-PG-0038' });
      const read = await planRead(source, 'public.shown');
      const splits = await planSplits(source, read);
      expect(splits).toHaveLength(1);
      expect(ids(await readAll(source, read, splits))).toEqual(upTo(2000));
    });
  });

  describe('ranges of the key', () => {
    const TABLES = {
      'an integer': [BIG, 'big'],
      'an integer without statistics': [BIG.replace('ANALYZE big;', ''), 'big'],
      'a uuid without statistics': [
        `CREATE TABLE u (id uuid PRIMARY KEY, note text);
         INSERT INTO u SELECT md5(i::text)::uuid, repeat('x', 200) FROM generate_series(1, 2000) i;`,
        'u',
      ],
      'text in another order than its bytes': [
        `CREATE TABLE words (id text COLLATE "en-x-icu" PRIMARY KEY, note text);
         INSERT INTO words SELECT CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'A' ELSE 'ä''"\\' END || i, repeat('x', 200)
         FROM generate_series(1, 2000) i; ANALYZE words;`,
        'words',
      ],
      'several columns, one of them read as text': [
        `CREATE TABLE multi (note text, day date, host inet, n numeric, PRIMARY KEY (day, host, n));
         INSERT INTO multi SELECT repeat('x', 200), date '2024-01-01' + i % 7, ('10.0.0.' || i % 50)::inet, i / 3.0
         FROM generate_series(1, 2000) i; ANALYZE multi;`,
        'multi',
      ],
      'dates with infinities': [
        `CREATE TABLE days (id date PRIMARY KEY, note text);
         INSERT INTO days SELECT date '1999-12-01' + i, repeat('x', 200) FROM generate_series(1, 2000) i;
         INSERT INTO days VALUES ('infinity', ''), ('-infinity', ''), ('4000-01-01 BC', ''); ANALYZE days;`,
        'days',
      ],
    } as const;

    it.for(Object.entries(TABLES))('%s: every row comes once, and in order', async ([, [setup, table]]) => {
      await psql(url, setup);
      const read = await planRead(source, `public.${table}`, { chunk: 'key' });
      const splits = await planSplits(source, read);
      expect(splits.length).toBeGreaterThan(3);
      expect(splits.some((split) => split.volatile)).toBe(false);
      const whole = openSource(url);
      const expected = await readRows(whole, read, (await planSplits(whole, read))[0]!);
      await whole.close();
      expect(expected.length).toBeGreaterThanOrEqual(2000);
      expect(await readAll(source, read, splits)).toEqual(expected);
    });

    it.for(Object.entries(TABLES))(
      '%s: reading goes on behind every checkpoint',
      async ([, [setup, table]]) => {
        await psql(url, setup);
        const read = await planRead(source, `public.${table}`, { chunk: 'key' });
        const split = (await planSplits(source, read))[1]!;
        const parts = await readParts(source, read, split, { batchRows: 37 });
        expect(parts.length).toBeGreaterThan(3);
        expect(parts.at(-1)).toMatchObject({ rows: [], sealed: true });
        for (const [i, { position }] of parts.entries()) {
          const rest = parts.slice(i + 1).flatMap((part) => part.rows);
          expect(await readRows(source, read, split, { at: position })).toEqual(rest);
        }
      },
    );

    it('a batch ends at every cut, whether its row is still there or not', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big', { chunk: 'key' });
      const whole = (await planSplits(source, read))[0]!;
      const split = {
        ...whole,
        spec: { ...(whole.spec as JsonObject), to: '3000' },
      };
      await psql(url, 'DELETE FROM big WHERE id = 500');
      const cuts = [['900'], ['500'], ['20'], null];
      const parts = await readParts(source, read, split, { at: ['100'], cuts, batchRows: 300 });
      const positions = parts.map((part) => part.position);
      expect(positions).toEqual([
        ['400'],
        ['499'],
        ['500'],
        ['800'],
        ['900'],
        ['1200'],
        ['1500'],
        ['1800'],
        ['2000'],
        ['2000'],
      ]);
      expect(ids(parts.slice(3, 5).flatMap((part) => part.rows))).toEqual(upTo(900).slice(500));
    });

    it('an interrupted plan is continued where it ended', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big', { chunk: 'key' });
      const all = await planSplits(source, read);
      for (let known = 1; known <= all.length; known++) {
        const rest = await planSplits(source, read, all.slice(0, known));
        expect([...all.slice(0, known), ...rest].map((split) => split.spec)).toEqual(
          all.map((split) => split.spec),
        );
      }
    });

    it('are what a table with a key is read by when what is committed has to stay', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big', {}, true);
      const splits = await planSplits(source, read);
      expect(splits.map((split) => split.id)[0]).toBe('public.big/key/');
      expect(splits.length).toBeGreaterThan(3);
    });

    it('need a key', async () => {
      await psql(url, 'CREATE TABLE keyless (id integer)');
      const read = await planRead(source, 'public.keyless', { chunk: 'key' });
      await expect(planSplits(source, read)).rejects.toMatchObject({ code: 'SLUICE-PG-0038' });
    });

    it('refuse a position that is no key', async () => {
      await psql(url, BIG);
      const read = await planRead(source, 'public.big', { chunk: 'key' });
      const [split] = await planSplits(source, read);
      for (const at of [['1', '2'], 7, 'x', [1]]) {
        await expect(readRows(source, read, split!, { at })).rejects.toMatchObject({
          code: 'SLUICE-PG-0041',
        });
      }
    });
  });

  it('does not plan again what is planned', async () => {
    await psql(url, `${BIG} CREATE TABLE small (id integer)`);
    for (const stream of ['public.big', 'public.small']) {
      const read = await planRead(source, stream);
      const splits = await planSplits(source, read);
      expect(await planSplits(source, read, splits)).toEqual([]);
    }
  });

  it.for([
    ['ALTER TABLE t ADD COLUMN c integer', 'column c is new'],
    ['ALTER TABLE t DROP COLUMN b', 'column b is gone'],
    ['ALTER TABLE t ALTER COLUMN b TYPE bigint USING 0', 'column b was text and is bigint'],
    ['ALTER TABLE t ALTER COLUMN b DROP NOT NULL', 'column b may be null now'],
  ])('ends with an error after %s', async ([change, message]) => {
    await psql(url, 'CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL)');
    for (const chunk of ['none', 'key']) {
      const read = await planRead(source, 'public.t', { chunk });
      const [split] = await planSplits(source, read);
      await psql(url, `CREATE TABLE kept AS TABLE t; ${change}`);
      const error = await readRows(source, read, split!).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'SLUICE-PG-0020',
        class: 'contract',
        message: expect.stringContaining(message!),
      });
      await psql(
        url,
        'DROP TABLE t; CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL); DROP TABLE kept',
      );
    }
  });
});
