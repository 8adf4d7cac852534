/** Every type in both directions, judged by DuckDB's own text of the values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Batch,
  type Field,
  field,
  type LogicalType,
  parseDate,
  parseTimestamp,
  type Row,
  Special,
  streamSchema,
  t,
  types,
  type Value,
} from '@sluice/sdk';
import { dumpDuckdb, needsPythonReaders } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { load, SinkJobRun, sql, withFolder } from './testing/harness.js';
import { readAll } from './testing/read-all.js';

interface Case {
  readonly name: string;
  readonly type: LogicalType;
  /** The DuckDB type. */
  readonly duckdb: string;
  /** Values, each with the text that DuckDB shows. */
  readonly values: readonly (readonly [Value, string])[];
  /** What the source gives back where that is another type. */
  readonly back?: readonly Value[];
}

const us = (text: string) => parseTimestamp(text, 'us', 'none')!;
const long = 'long enough to lie outside of the string, ünd so weiter';

const CASES: readonly Case[] = [
  {
    name: 'bool',
    type: types.bool,
    duckdb: 'BOOLEAN',
    values: [
      [true, 'true'],
      [false, 'false'],
    ],
  },
  {
    name: 'int8',
    type: types.int8,
    duckdb: 'TINYINT',
    values: [
      [-128, '-128'],
      [127, '127'],
    ],
  },
  {
    name: 'int16',
    type: types.int16,
    duckdb: 'SMALLINT',
    values: [
      [-32768, '-32768'],
      [32767, '32767'],
    ],
  },
  {
    name: 'int32',
    type: types.int32,
    duckdb: 'INTEGER',
    values: [
      [-(2 ** 31), '-2147483648'],
      [2 ** 31 - 1, '2147483647'],
    ],
  },
  {
    name: 'int64',
    type: types.int64,
    duckdb: 'BIGINT',
    values: [
      [-(2n ** 63n), '-9223372036854775808'],
      [2n ** 63n - 1n, '9223372036854775807'],
    ],
  },
  {
    name: 'uint8',
    type: types.uint8,
    duckdb: 'UTINYINT',
    values: [
      [0, '0'],
      [255, '255'],
    ],
  },
  { name: 'uint16', type: types.uint16, duckdb: 'USMALLINT', values: [[65535, '65535']] },
  { name: 'uint32', type: types.uint32, duckdb: 'UINTEGER', values: [[2 ** 32 - 1, '4294967295']] },
  {
    name: 'uint64',
    type: types.uint64,
    duckdb: 'UBIGINT',
    values: [[2n ** 64n - 1n, '18446744073709551615']],
  },
  {
    name: 'float32',
    type: types.float32,
    duckdb: 'FLOAT',
    values: [
      [1.5, '1.5'],
      [Number.NaN, 'nan'],
      [Number.NEGATIVE_INFINITY, '-inf'],
    ],
  },
  {
    name: 'float64',
    type: types.float64,
    duckdb: 'DOUBLE',
    values: [
      [0.1, '0.1'],
      [-1.7976931348623157e308, '-1.7976931348623157e+308'],
      [Number.POSITIVE_INFINITY, 'inf'],
    ],
  },
  {
    name: 'decimal4',
    type: types.decimal(4, 2),
    duckdb: 'DECIMAL(4,2)',
    values: [
      ['-99.99', '-99.99'],
      ['0.01', '0.01'],
    ],
  },
  {
    name: 'decimal9',
    type: types.decimal(9, 0),
    duckdb: 'DECIMAL(9,0)',
    values: [
      ['-999999999', '-999999999'],
      ['7', '7'],
    ],
  },
  {
    name: 'decimal18',
    type: types.decimal(18, 18),
    duckdb: 'DECIMAL(18,18)',
    values: [['-0.999999999999999999', '-.999999999999999999']],
  },
  {
    name: 'decimal38',
    type: types.decimal(38, 10),
    duckdb: 'DECIMAL(38,10)',
    values: [
      ['-1234567890123456789012345678.0123456789', '-1234567890123456789012345678.0123456789'],
      ['0.0000000001', '0.0000000001'],
    ],
  },
  {
    name: 'unbounded',
    type: types.decimal(),
    duckdb: 'VARCHAR',
    values: [
      ['123456789012345678901234567890123456789012.5', '123456789012345678901234567890123456789012.5'],
      [new Special('NaN'), 'NaN'],
    ],
    back: ['123456789012345678901234567890123456789012.5', 'NaN'],
  },
  {
    name: 'wide',
    type: types.decimal(50, 3),
    duckdb: 'VARCHAR',
    values: [['-1.000', '-1.000']],
    back: ['-1.000'],
  },
  {
    name: 'string',
    type: types.string,
    duckdb: 'VARCHAR',
    values: [
      ['', ''],
      ['exactly12byt', 'exactly12byt'],
      ['exactly13byte', 'exactly13byte'],
      [long, long],
      ['a\0b', 'a\0b'],
      ['😀', '😀'],
    ],
  },
  {
    name: 'bytes',
    type: types.bytes,
    duckdb: 'BLOB',
    values: [
      [Uint8Array.of(0, 255, 65), '\\x00\\xFFA'],
      [new Uint8Array(20).fill(66), 'B'.repeat(20)],
    ],
  },
  {
    name: 'uuid',
    type: types.uuid,
    duckdb: 'UUID',
    values: [
      ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'],
      ['ffffffff-ffff-4fff-bfff-fffffffffffe', 'ffffffff-ffff-4fff-bfff-fffffffffffe'],
      ['01234567-89ab-cdef-0123-456789abcdef', '01234567-89ab-cdef-0123-456789abcdef'],
    ],
  },
  {
    name: 'date',
    type: types.date,
    duckdb: 'DATE',
    values: [
      [parseDate('2024-02-29')!, '2024-02-29'],
      [parseDate('0001-01-01')!, '0001-01-01'],
      [new Special('infinity'), 'infinity'],
      [new Special('-infinity'), '-infinity'],
      [new Special('0044-03-15 BC'), '0044-03-15 (BC)'],
    ],
    back: [
      parseDate('2024-02-29')!,
      parseDate('0001-01-01')!,
      new Special('infinity'),
      new Special('-infinity'),
      parseDate('-000043-03-15')!,
    ],
  },
  {
    name: 'time',
    type: types.time,
    duckdb: 'TIME',
    values: [
      [0n, '00:00:00'],
      [86_400_000_000n, '24:00:00'],
      [45_296_000_001n, '12:34:56.000001'],
    ],
  },
  {
    name: 'time_ns',
    type: { kind: 'time', unit: 'ns' },
    duckdb: 'TIME_NS',
    values: [[45_296_000_000_001n, '12:34:56.000000001']],
  },
  {
    name: 'local',
    type: types.timestampLocal,
    duckdb: 'TIMESTAMP',
    values: [
      [us('2024-02-29T13:45:00.5'), '2024-02-29 13:45:00.5'],
      [new Special('infinity'), 'infinity'],
      [new Special('0044-03-15 12:00:00 BC'), '0044-03-15 (BC) 12:00:00'],
    ],
    back: [us('2024-02-29T13:45:00.5'), new Special('infinity'), us('-000043-03-15T12:00:00')],
  },
  {
    name: 'local_ns',
    type: { kind: 'timestamp', unit: 'ns', zone: 'none' },
    duckdb: 'TIMESTAMP_NS',
    values: [
      [1n, '1970-01-01 00:00:00.000000001'],
      [new Special('-infinity'), '-infinity'],
    ],
  },
  {
    name: 'instant',
    type: types.timestamp,
    duckdb: 'TIMESTAMP WITH TIME ZONE',
    values: [
      [us('1969-12-31T23:59:59.999999'), '1969-12-31 23:59:59.999999+00'],
      [new Special('-infinity'), '-infinity'],
    ],
  },
  {
    name: 'kept',
    type: t.timestampOffset.type,
    duckdb: 'STRUCT("at" TIMESTAMP WITH TIME ZONE, "offset" SMALLINT)',
    values: [[{ at: 0n, offset: -90 }, "{'at': '1970-01-01 00:00:00+00', 'offset': -90}"]],
  },
  {
    name: 'interval',
    type: types.interval,
    duckdb: 'INTERVAL',
    values: [[{ months: 14, days: -3, nanos: 1_000n }, '1 year 2 months -3 days 00:00:00.000001']],
  },
  {
    name: 'duration',
    type: types.duration,
    duckdb: 'INTERVAL',
    values: [[90_000_000n, '00:01:30']],
    back: [{ months: 0, days: 0, nanos: 90_000_000_000n }],
  },
  { name: 'duration_ns', type: { kind: 'duration', unit: 'ns' }, duckdb: 'BIGINT', values: [[7n, '7']] },
  {
    name: 'json',
    type: types.json,
    duckdb: 'JSON',
    values: [
      ['{"a": [1, 2.50, null]}', '{"a": [1, 2.50, null]}'],
      ['"text"', '"text"'],
      ['null', 'null'],
    ],
  },
  { name: 'enum', type: types.enumOf('yes', 'no'), duckdb: 'VARCHAR', values: [['no', 'no']] },
  { name: 'native', type: types.native('point'), duckdb: 'VARCHAR', values: [['(1,2)', '(1,2)']] },
  { name: 'nothing', type: types.nullType, duckdb: 'VARCHAR', values: [] },
  {
    name: 'list',
    type: types.list(types.string),
    duckdb: 'VARCHAR[]',
    values: [
      [[], '[]'],
      [['a', null, long], `[a, NULL, '${long}']`],
    ],
  },
  {
    name: 'lists',
    type: types.list(types.list(types.int32)),
    duckdb: 'INTEGER[][]',
    values: [[[[1, 2], [], null, [3]], '[[1, 2], [], NULL, [3]]']],
  },
  {
    name: 'dates',
    type: types.list(types.date),
    duckdb: 'DATE[]',
    values: [[[0, new Special('infinity')], '[1970-01-01, infinity]']],
  },
  {
    name: 'struct',
    type: types.struct([field('a b', types.int32), field('s', types.list(types.string))]),
    duckdb: 'STRUCT("a b" INTEGER, s VARCHAR[])',
    values: [
      [{ 'a b': 1, s: ['x'] }, "{'a b': 1, 's': [x]}"],
      [{ 'a b': null, s: null }, "{'a b': NULL, 's': NULL}"],
    ],
  },
  {
    name: 'map',
    type: types.map(types.string, types.decimal(5, 1)),
    duckdb: 'MAP(VARCHAR, DECIMAL(5,1))',
    values: [
      [
        [
          ['k', '1.5'],
          ['l', null],
        ],
        '{k=1.5, l=NULL}',
      ],
      [[], '{}'],
    ],
  },
  {
    name: 'union',
    type: { kind: 'union', variants: [field('n', types.int32), field('s', types.string)] },
    duckdb: 'UNION(n INTEGER, s VARCHAR)',
    values: [
      [{ tag: 's', value: long }, long],
      [{ tag: 'n', value: 5 }, '5'],
      [{ tag: 'n', value: null }, 'NULL'],
    ],
  },
];

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
