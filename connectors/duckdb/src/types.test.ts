/** Every type in both directions, judged by DuckDB's own text of the values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Batch,
  type Field,
  field,
  type LogicalType,
  type Row,
  Special,
  streamSchema,
  types,
  type Value,
} from '@sluice/sdk';
import { dumpDuckdb, needsPythonReaders } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { load, SinkJobRun, sql, withFolder } from './testing/harness.js';
import { readAll } from './testing/read-all.js';
import { CASES } from './testing/type-cases.js';

/** One table with a column a case: values under each other, with nulls before, between and after them. */
const SCHEMA = streamSchema('s', [field('i', types.int32), ...CASES.map((one) => field(one.name, one.type))]);
const HEIGHT = Math.max(...CASES.map(({ values }) => values.length)) * 2 + 1;

function tableRows(): Row[] {
  return Array.from({ length: HEIGHT }, (_, i) => {
    const row: Row = { i };
    for (const { name, values } of CASES) row[name] = i % 2 === 1 ? (values[(i - 1) / 2]?.[0] ?? null) : null;
    return row;
  });
}

/** Entries with an empty one before, between and after them, up to the table's height. */
function spread<T>(entries: readonly T[], empty: T): T[] {
  return Array.from({ length: HEIGHT }, (_, i) => (i % 2 === 1 ? (entries[(i - 1) / 2] ?? empty) : empty));
}

describe('values', () => {
  needsPythonReaders();
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-duckdb-'));
    file = path.join(folder, 'types.duckdb');
    await load(file, SCHEMA, [Batch.ofRows(SCHEMA, tableRows())]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are stored in the types that the plan says', async () => {
    const columns = await sql(
      file,
      "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'target'",
    );
    const found = Object.fromEntries(columns.map((row) => [row['column_name'], row['data_type']]));
    expect(found).toEqual({
      i: 'INTEGER',
      ...Object.fromEntries(CASES.map(({ name, duckdb }) => [name, duckdb])),
    });
  });

  it.each(CASES)('of $name read by DuckDB for Python are the same', async ({ name, values }) => {
    const { rows } = await dumpDuckdb(file, `SELECT "${name}" FROM main.target ORDER BY i`);
    expect(rows).toEqual(
      spread(
        values.map(([, text]) => quoted(text)),
        '',
      ),
    );
  });

  it('come back through the source', async () => {
    const { rows } = await readAll(file, 'main.target');
    for (const { name, values, back } of CASES) {
      const wanted = back ?? values.map(([value]) => value);
      expect(
        rows.map((row) => row[name]),
        name,
      ).toEqual(spread<Value>(wanted, null));
    }
  });
});

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

describe('what has no place is refused', () => {
  const refused: readonly (readonly [string, LogicalType, Value, RegExp])[] = [
    ['NaN among decimals', types.decimal(12, 2), new Special('NaN'), /NaN has no place in decimal\(12,2\)/],
    ['a zero date', types.date, new Special('0000-00-00'), /0000-00-00 has no place/],
    ['a day that DuckDB takes for infinity', types.date, 2 ** 31 - 1, /no place/],
    ['an instant that DuckDB takes for infinity', types.timestamp, 2n ** 63n - 1n, /no place/],
    [
      'an instant beyond 64 bits',
      types.timestamp,
      new Special('294276-12-31 23:59:59.999999+00'),
      /no place/,
    ],
    ['parts of a microsecond', types.interval, { months: 0, days: 0, nanos: 1n }, /microsecond/],
    ['an array of another shape', types.list(types.int32), new Special('[0:1]={1,2}'), /no place/],
    ['a special value inside a list', types.list(types.decimal(3, 1)), [new Special('NaN')], /no place/],
    [
      'a map with a key twice',
      types.map(types.string, types.int32),
      [
        ['k', 1],
        ['k', 2],
      ],
      /key k twice/,
    ],
    ['a text that is no JSON', types.json, '{"a":', /JSON/i],
  ];

  it.each(refused)('%s', async (_, type, value, message) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'refused.duckdb');
      const schema = streamSchema('s', [field('v', type)]);
      const run = await SinkJobRun.start(file, schema);
      const written = run.commit([Batch.ofRows(schema, [{ v: value }])]);
      await expect(written).rejects.toMatchObject({ class: 'data', message: expect.stringMatching(message) });
      await run.end();
      expect(await sql(file, 'SELECT count(*)::INT AS n FROM main.target')).toEqual([{ n: 0 }]);
    });
  });

  it.each([
    [Uint8Array.of(0xff)],
    [Buffer.concat([Buffer.from('a longer text with '), Uint8Array.of(0xc3, 0x28)])],
  ])('bytes %s that are no UTF-8', async (bytes) => {
    await withFolder(async (folder) => {
      const schema = streamSchema('s', [field('v', types.string)]);
      const run = await SinkJobRun.start(path.join(folder, 'x.duckdb'), schema);
      const column = {
        length: 1,
        data: { layout: 'varlen' as const, offsets: Int32Array.of(0, bytes.length), data: bytes },
      };
      const written = run.commit([Batch.ofColumns(schema, [column], 1)]);
      await expect(written).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0014', class: 'data' });
      await run.end();
    });
  });

  it('a null in a column that must have a value', async () => {
    await withFolder(async (folder) => {
      const fields: Field[] = [field('v', types.int32, { nullable: false })];
      const schema = streamSchema('s', fields);
      const run = await SinkJobRun.start(path.join(folder, 'x.duckdb'), schema);
      const written = run.commit([Batch.ofRows(schema, [{ v: null }])]);
      await expect(written).rejects.toMatchObject({
        class: 'data',
        message: expect.stringMatching(/NOT NULL/),
      });
      await run.end();
    });
  });
});
