/** What the sink does to tables. */
import { Batch, field, streamSchema, types } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { type JobOptions, load, SinkJobRun, sql, testContext } from '../testing/harness.js';
import { inFile, people, SCHEMA, target } from '../testing/people.js';

describe('tables', () => {
  it('of save mode keep get new columns, wider types and fewer NOT NULLs', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'a', 1n])]);
      const fields = [
        field('id', types.int64),
        field('name', types.string),
        field('n', types.decimal(30, 2)),
        field('more', types.list(types.date)),
      ];
      const wider = streamSchema('people', fields);
      const run = await SinkJobRun.start(file, wider, { fence: 2n });
      expect(run.plan.ddl).toEqual([
        'ALTER TABLE "main"."target" ALTER COLUMN "id" SET DATA TYPE BIGINT',
        'ALTER TABLE "main"."target" ALTER COLUMN "id" DROP NOT NULL',
        'ALTER TABLE "main"."target" ALTER COLUMN "n" SET DATA TYPE DECIMAL(30,2)',
        'ALTER TABLE "main"."target" ADD COLUMN "more" DATE[]',
      ]);
      await run.sink.applySchema(run.job, run.plan, 1, run.c);
      await run.commit([Batch.ofRows(wider, [{ id: null, name: 'b', n: '2.50', more: [0] }])]);
      await run.end();
      expect(await sql(file, 'SELECT id, n, more FROM main.target ORDER BY id')).toEqual([
        { id: '1', n: '1.00', more: null },
        { id: null, n: '2.50', more: ['1970-01-01'] },
      ]);
    });
  });

  it('of other shapes are refused, and so are views and names that DuckDB cannot tell apart', async () => {
    await inFile(async (file) => {
      await sql(
        file,
        'CREATE TABLE other (id INTEGER, name DATE)',
        'CREATE TABLE strict (id INTEGER, must INTEGER NOT NULL)',
        'CREATE VIEW v AS SELECT 1 AS id',
        'SELECT 1',
      );
      const starts = (at: string, schema = SCHEMA, options: JobOptions = {}) =>
        SinkJobRun.start(file, schema, { target: at, ...options });
      await expect(starts('other')).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0021',
        message: expect.stringMatching(/name is DATE, the rows need VARCHAR/),
      });
      await expect(starts('strict')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0021' });
      await expect(starts('main.V')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0020' });
      const twins = streamSchema('s', [field('a', types.int32), field('A', types.int32)]);
      await expect(starts('twins', twins)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
      await expect(starts('_sluice_jobs')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
      await expect(starts('main.', SCHEMA)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
    });
  });

  it('of save modes require, fail and recreate', async () => {
    await inFile(async (file) => {
      const missing = SinkJobRun.start(file, SCHEMA, { save: 'require' });
      await expect(missing).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0019' });
      await load(file, SCHEMA, [people([1, 'a'])], { save: 'fail' });
      await load(file, SCHEMA, [people([2, 'b'])], { save: 'fail', fence: 2n });
      const stranger = SinkJobRun.start(file, SCHEMA, { save: 'fail', job: 'stranger' });
      await expect(stranger).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0020' });
      expect(await target(file)).toHaveLength(2);

      await sql(file, 'CREATE TABLE old (id DATE, junk INTEGER)', 'SELECT 1');
      const anew: JobOptions = { save: 'recreate', target: 'old', job: 'anew' };
      const run = await SinkJobRun.start(file, SCHEMA, anew);
      await run.commit([people([1, 'a'])]);
      await run.sink.applySchema(run.job, run.plan, 1, run.c);
      await run.end();
      expect(await sql(file, 'FROM old')).toEqual([{ id: 1, name: 'a', n: null }]);
      await load(file, SCHEMA, [people([2, 'b'])], { ...anew, generation: 2, fence: 2n });
      expect(await sql(file, 'SELECT name FROM old')).toEqual([{ name: 'b' }]);
    });
  });

  it('with quotes and dots in their names, and in schemas of their own', async () => {
    await inFile(async (file) => {
      const schema = streamSchema(
        's',
        [field('a "b".c', types.int32), field("d'e", types.struct([field('f"g', types.int32)]))],
        ['a "b".c'],
      );
      for (const write of ['append', 'upsert', 'replace'] as const) {
        const at = `br"onze'.${write}.t"x`;
        const batch = Batch.ofRows(schema, [{ 'a "b".c': 1, "d'e": { 'f"g': 2 } }]);
        await load(file, schema, [batch], { write, target: at, job: write });
        const rows = await sql(file, `FROM "br""onze'"."${write}.t""x"`);
        expect(rows).toEqual([{ 'a "b".c': 1, "d'e": { 'f"g': 2 } }]);
      }
    });
  });

  it('are not made by a plan, nor is the file', async () => {
    await inFile(async (file) => {
      const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
      const c = testContext();
      const stream = {
        stream: 'people',
        target: 'x.y',
        schema: SCHEMA,
        read: 'full',
        write: 'append',
        save: 'keep',
        options: {},
        encodings: [],
      } as const;
      const [plan] = await sink.plan([stream], c);
      expect(plan).toMatchObject({ exists: false, protocol: 'atomic', publish: 'none' });
      expect(plan!.ddl).toEqual([
        'CREATE SCHEMA IF NOT EXISTS "x"',
        'CREATE TABLE "x"."y" ("id" INTEGER NOT NULL, "name" VARCHAR, "n" BIGINT)',
      ]);
      await sink.check(c);
      const identity = await sink.identity(c);
      await expect(sql(`${file}`, 'SELECT 1 AS there')).resolves.toEqual([{ there: 1 }]);
      expect(await sink.identity(c)).toBe(identity);
      await sink.attach({ id: 'j', source: 's', fence: 1n }, c);
      expect(await sink.identity(c)).toBe(identity);
      await sink.close?.();
    });
  });
});
