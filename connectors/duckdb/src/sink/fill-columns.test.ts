/** Columns that come with a value for the rows that are there, of every type, and after a crash. */
import { cp } from 'node:fs/promises';
import { type Fill, field, streamSchema, types, type Value, valueToJson } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { load, SinkJobRun, sql } from '../testing/harness.js';
import { inFile, people, SCHEMA } from '../testing/people.js';
import { CASES } from '../testing/type-cases.js';

const values = CASES.flatMap(({ name, type, values: own }) =>
  own.map(([value, text], i) => ({ column: `${name} ${i}`, type, value: value as Value, text })),
);
const known = values.filter(({ value }) => value !== null);
const fills = known.map(
  ({ column, type, value }): Fill => ({ column, id: `source/${column}`, value: valueToJson(type, value) }),
);
const fields = [...SCHEMA.fields, ...known.map(({ column, type }) => field(column, type))];
const WIDE = streamSchema(SCHEMA.stream, fields, SCHEMA.key);

it('rows have it as rows that are written have it, also where the database was not closed', async () => {
  await inFile(async (file) => {
    await load(file, SCHEMA, [people([1, 'a', 1n], [2, 'b', 2n])]);
    const run = await SinkJobRun.start(file, WIDE, { fence: 2n, fills });
    const taken = new Set(run.plan.fills);
    // No text of a statement gives these: one has a character of code 0.
    const left = known.map(({ column }) => column).filter((column) => !taken.has(column));
    expect(left).toEqual(['string 4', 'union 1', 'union 2']);
    for (const end of ['', '.wal']) await cp(`${file}${end}`, `${file}.crashed${end}`);
    await run.end();
    for (const database of [file, `${file}.crashed`]) {
      const list = known.map(({ column }, i) => `CAST("${column}" AS VARCHAR) AS c${i}`);
      const rows = await sql(database, `SELECT ${list.join(', ')} FROM main.target`);
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        for (const [i, { column, text }] of known.entries())
          if (taken.has(column)) expect(row[`c${i}`], column).toBe(text);
      }
    }
  });
});

it('a column that the sink has filled is known to be, one that others have added is not', async () => {
  await inFile(async (file) => {
    const [note] = [field('note', types.string)];
    const wide = streamSchema(SCHEMA.stream, [...SCHEMA.fields, note], SCHEMA.key);
    const filled = (id: string): Fill[] => [{ column: 'note', id, value: 'new' }];
    await load(file, SCHEMA, [people([1, 'a', 1n])]);
    const run = await SinkJobRun.start(file, wide, { fence: 2n, fills: filled('first') });
    expect(run.plan).toMatchObject({ fills: ['note'], lacks: ['note'] });
    expect(run.plan.ddl).toEqual([
      `ALTER TABLE "main"."target" ADD COLUMN "note" VARCHAR DEFAULT 'new'`,
      'ALTER TABLE "main"."target" ALTER COLUMN "note" DROP DEFAULT',
    ]);
    await run.sink.applySchema(run.job, run.plan, 1, run.c);
    await run.end();
    await sql(file, "UPDATE main.target SET note = 'changed'");
    const again = await SinkJobRun.start(file, wide, { fence: 3n, fills: filled('first') });
    expect(again.plan).toMatchObject({ fills: ['note'], lacks: [] });
    await again.end();
    expect(await sql(file, 'SELECT note FROM main.target')).toEqual([{ note: 'changed' }]);
    const other = await SinkJobRun.start(file, wide, { fence: 4n, fills: filled('second') });
    expect(other.plan).toMatchObject({ fills: [], lacks: [] });
    await other.end();
  });
});

it('a column that comes between plan and change ends the run', async () => {
  await inFile(async (file) => {
    const wide = streamSchema(SCHEMA.stream, [...SCHEMA.fields, field('note', types.string)], SCHEMA.key);
    await load(file, SCHEMA, [people([1, 'a', 1n])]);
    const run = await SinkJobRun.start(file, SCHEMA, { fence: 2n });
    const how = { read: 'cdc', write: 'append', save: 'keep', options: {}, encodings: [] } as const;
    const told = { fills: [{ column: 'note', id: 'first', value: 'new' }], ...how };
    const [plan] = await run.sink.plan(
      [{ stream: SCHEMA.stream, target: 'main.target', schema: wide, ...told }],
      run.c,
    );
    await run.end();
    await sql(file, 'ALTER TABLE main.target ADD COLUMN note VARCHAR');
    const late = await SinkJobRun.start(file, SCHEMA, { fence: 3n });
    await expect(late.sink.applySchema(late.job, plan!, 1, late.c)).rejects.toMatchObject({
      code: 'SLUICE-DUCKDB-0026',
    });
    await late.end();
  });
});
