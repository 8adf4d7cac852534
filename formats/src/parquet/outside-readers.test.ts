// Files of ours in the eyes of readers that are not ours: Arrow, DuckDB, hyparquet and parquetjs.
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ParquetReader } from '@dsnp/parquetjs';
import { type Field, type LogicalType, types, type Value } from '@sluice/sdk';
import { needsPythonReaders } from '@sluice/test';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyTable, anyType } from './testing/any-columns.js';
import { comparableTable, readWithArrow, readWithDuckdb, runPython } from './testing/arrow.js';
import { fileOfTable, type Table } from './testing/memory-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-readers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const timestamp = (unit: 'us' | 'ns', zone: 'utc' | 'none' | 'offset'): LogicalType => ({
  kind: 'timestamp',
  unit,
  zone,
});

/** A column of every type, with its edges. */
const columns: [name: string, type: LogicalType, values: Value[]][] = [
  ['bool', types.bool, [true, null, false]],
  ['int8', types.int8, [-128, null, 127]],
  ['int16', types.int16, [-32_768, null, 32_767]],
  ['int32', types.int32, [-(2 ** 31), null, 2 ** 31 - 1]],
  ['int64', types.int64, [-(2n ** 63n), null, 2n ** 63n - 1n]],
  ['uint8', types.uint8, [0, null, 255]],
  ['uint16', types.uint16, [0, null, 65_535]],
  ['uint32', types.uint32, [0, null, 2 ** 32 - 1]],
  ['uint64', types.uint64, [0n, null, 2n ** 64n - 1n]],
  ['float32', types.float32, [1.5, null, Number.NaN]],
  ['float64', types.float64, [-0, null, Number.NEGATIVE_INFINITY]],
  ['decimal9', types.decimal(9, 2), ['9999999.99', null, '-9999999.99']],
  ['decimal18', types.decimal(18, 2), ['9999999999999999.99', null, '-0.01']],
  ['decimal38', types.decimal(38, 3), [`${'9'.repeat(35)}.999`, null, `-${'9'.repeat(35)}.999`]],
  ['unbounded', types.decimal(), ['1.50', null, `-${'1'.repeat(60)}`]],
  ['string', types.string, ['', null, 'naïve 😀\n"']],
  ['bytes', types.bytes, [Uint8Array.of(), null, Uint8Array.of(0, 255)]],
  [
    'uuid',
    types.uuid,
    ['00000000-0000-0000-0000-000000000000', null, 'ffffffff-ffff-4fff-8fff-fffffffffffe'],
  ],
  ['date', types.date, [-719_162, null, 20_000]],
  ['time', types.time, [0n, null, 86_399_999_999n]],
  ['timestamp', types.timestamp, [-62_135_596_800_000_000n, null, 253_402_300_799_999_999n]],
  ['local', types.timestampLocal, [-1n, null, 1_700_000_000_123_456n]],
  ['nanos', timestamp('ns', 'none'), [-1n, null, 1_700_000_000_123_456_789n]],
  ['offset', timestamp('us', 'offset'), [{ at: 1n, offset: -90 }, null, { at: -1n, offset: 60 }]],
  [
    'interval',
    types.interval,
    [{ months: -1, days: 2, nanos: 3n }, null, { months: 12, days: 0, nanos: -1n }],
  ],
  ['duration', types.duration, [-5n, null, 5n]],
  ['json', types.json, ['{"a": [1]}', null, 'null']],
  ['enum', types.enumOf('low', 'high'), ['low', null, 'high']],
  ['native', types.native('point'), ['(1,2)', null, '(3,4)']],
  ['list', types.list(types.list(types.int32)), [[[1, null], [], null], null, []]],
  [
    'map',
    types.map(types.string, types.decimal(5, 1)),
    [
      [
        ['a', '1.5'],
        ['b', null],
      ],
      null,
      [],
    ],
  ],
  [
    'struct',
    types.struct([types.field('x', types.int32), types.field('l', types.list(types.string))]),
    [{ x: 1, l: ['a', null] }, null, { x: null, l: null }],
  ],
];
const everyType: Table = {
  fields: columns.map(([name, type]) => types.field(name, type)),
  values: columns.map(([, , values]) => values),
};

describe('Arrow and DuckDB', () => {
  needsPythonReaders();

  test.each(['none', 'snappy', 'gzip', 'zstd'] as const)('read a column of every type, %s', async (codec) => {
    const path = await saved(`every-${codec}.parquet`, await fileOfTable(everyType, { codec }));
    const expected = comparableTable(everyType);
    expect(await readWithArrow(path)).toEqual(expected);
    expect(await readWithDuckdb(path)).toEqual(expected);
  });

  test('give the types back', async () => {
    const path = await saved('types.parquet', await fileOfTable(everyType));
    const program = 'json.dump([str(f.type) for f in pq.read_schema(sys.argv[1])], sys.stdout)';
    const arrow = JSON.parse(await runPython(program, path)) as string[];
    const byName = Object.fromEntries(everyType.fields.map((field, i) => [field.name, arrow[i]]));
    expect(byName).toMatchObject({
      int8: 'int8',
      uint64: 'uint64',
      decimal9: 'decimal128(9, 2)',
      decimal38: 'decimal128(38, 3)',
      string: 'string',
      enum: 'string',
      bytes: 'binary',
      uuid: 'extension<arrow.uuid>',
      date: 'date32[day]',
      time: 'time64[us]',
      timestamp: 'timestamp[us, tz=UTC]',
      local: 'timestamp[us]',
      nanos: 'timestamp[ns]',
      json: 'extension<arrow.json>',
      map: "map<string, decimal128(5, 1) ('map')>",
    });
  });

  test('read any tables, however they are cut', async () => {
    const cuts = fc.record({
      codec: fc.constantFrom('none' as const, 'snappy' as const),
      dictionary: fc.boolean(),
      rowGroupRows: fc.integer({ min: 1, max: 400 }),
      pageBytes: fc.constantFrom(50, 1000, 1 << 20),
    });
    const samples = fc.sample(fc.tuple(anyTable(400, anyType), cuts), 25);
    for (const [i, [table, options]] of samples.entries()) {
      const path = await saved(`any-${i}.parquet`, await fileOfTable(table, options, 90));
      const expected = comparableTable(table);
      expect(await readWithArrow(path), `Arrow, ${JSON.stringify(table.fields)}`).toEqual(expected);
    }
  }, 240_000);

  test('find what they look for by minimum and maximum', async () => {
    const rows = 900;
    const words = Array.from(
      { length: rows },
      (_, i) => `${String.fromCharCode(97 + (i % 26))}${'é'.repeat(40)}${i}`,
    );
    const table: Table = {
      fields: [
        types.field('n', types.int64),
        types.field('u', types.uint32),
        types.field('f', types.float64),
        types.field('d', types.decimal(30, 2)),
        types.field('s', types.string),
        types.field('b', types.bytes),
        types.field('id', types.uuid),
        types.field('t', types.bool),
      ],
      values: [
        Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? null : BigInt(i - 450) * 10_000_000_000n)),
        Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? i : 2 ** 32 - 1 - i)),
        Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? Number.NaN : (i - 450) / 8)),
        Array.from({ length: rows }, (_, i) => `${i - 450}000000000000000000000.25`),
        words,
        words.map((word) => Buffer.from(word).map((byte) => byte ^ 0x80)),
        Array.from(
          { length: rows },
          (_, i) => `${(i * 4_000_037).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
        ),
        Array.from({ length: rows }, (_, i) => i % 300 === 0),
      ],
    };
    const path = await saved('statistics.parquet', await fileOfTable(table, { rowGroupRows: 100 }));
    // Every row must be found by its own value although row groups are passed over by their bounds, and the
    // bounds that Arrow reads must hold for the values.
    const program = `
import duckdb
c = duckdb.connect()
path = sys.argv[1]
file = pq.ParquetFile(path)
found = {}
for i, name in enumerate(file.schema_arrow.names):
    for g in range(file.num_row_groups):
        s = file.metadata.row_group(g).column(i).statistics
        values = [v for v in file.read_row_group(g, columns=[name])[name].to_pylist() if v is not None and v == v]
        if name == 'id': values = [v.bytes for v in values]
        assert s.null_count == file.read_row_group(g, columns=[name])[name].null_count, name
        assert s.has_min_max, name
        low, high = s.min, s.max
        if name == 's': low, high, values = low.encode(), high.encode(), [v.encode() for v in values]
        assert low <= min(values) and max(values) <= high, (name, low, high)
        if name not in ('s', 'b'): assert low == min(values) and max(values) == high, name
    rows = c.execute(f"SELECT count(*) FROM read_parquet('{path}') a JOIN (SELECT DISTINCT {name} v FROM read_parquet('{path}')) b ON a.{name} = b.v").fetchone()[0]
    found[name] = rows
for value, in c.execute(f"SELECT n FROM read_parquet('{path}') WHERE n IS NOT NULL").fetchall()[::37]:
    assert c.execute(f"SELECT count(*) FROM read_parquet('{path}') WHERE n = {value}").fetchone()[0] == 1
for value, in c.execute(f"SELECT s FROM read_parquet('{path}')").fetchall()[::37]:
    assert c.execute(f"SELECT count(*) FROM read_parquet('{path}') WHERE s = ?", [value]).fetchone()[0] == 1
json.dump(found, sys.stdout)
`;
    const found = JSON.parse(await runPython(program, path)) as unknown;
    expect(found).toEqual({
      n: rows - Math.ceil(rows / 7),
      u: rows,
      f: rows,
      d: rows,
      s: rows,
      b: rows,
      id: rows,
      t: rows,
    });
  });

  test('see which encodings were used', async () => {
    const rows = 40_000;
    const table: Table = {
      fields: [
        types.field('few', types.string),
        types.field('many', types.string),
        types.field('turns', types.int64),
      ],
      values: [
        Array.from({ length: rows }, (_, i) => `status ${i % 5}`),
        Array.from({ length: rows }, (_, i) => `unique ${i}`),
        Array.from({ length: rows }, (_, i) => (i < rows / 2 ? BigInt(i % 5) : BigInt(i))),
      ],
    };
    const path = await saved('encodings.parquet', await fileOfTable(table, {}, 1000));
    const program = `
group = pq.ParquetFile(sys.argv[1]).metadata.row_group(0)
json.dump([[sorted(group.column(i).encodings), group.column(i).has_dictionary_page] for i in range(3)], sys.stdout)
`;
    expect(JSON.parse(await runPython(program, path))).toEqual([
      [['PLAIN', 'RLE', 'RLE_DICTIONARY'], true],
      [['PLAIN', 'RLE'], false],
      [['PLAIN', 'RLE', 'RLE_DICTIONARY'], true],
    ]);
    expect(await readWithArrow(path)).toEqual(comparableTable(table));
    expect(await readWithDuckdb(path)).toEqual(comparableTable(table));
  });
});

/** Types that the readers in JavaScript have values for. */
const forJavaScript: Field[] = [
  types.field('id', types.int64, { nullable: false }),
  types.field('name', types.string),
  types.field('count', types.int32),
  types.field('ok', types.bool),
  types.field('ratio', types.float64),
  types.field('tags', types.list(types.string)),
];
const rowsForJavaScript = Array.from({ length: 5000 }, (_, i) => ({
  id: BigInt(i) * 10n ** 12n,
  name: i % 7 === 0 ? null : `name ${i % 100}`,
  count: i % 3 === 0 ? null : i,
  ok: i % 5 === 0 ? null : i % 2 === 0,
  ratio: i / 7,
  tags: i % 4 === 0 ? null : Array.from({ length: i % 4 }, (_, k) => `t${k}`),
}));
const tableForJavaScript: Table = {
  fields: forJavaScript,
  values: forJavaScript.map(({ name }) => rowsForJavaScript.map((row) => row[name as keyof typeof row])),
};

describe.each(['none', 'snappy', 'gzip'] as const)('readers in JavaScript, %s', (codec) => {
  test('hyparquet', async () => {
    const bytes = await fileOfTable(tableForJavaScript, { codec, rowGroupRows: 1500, pageBytes: 2000 });
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const compressors = { GZIP: (page: Uint8Array) => gunzipSync(page) };
    // It shows a list that is null as undefined.
    const expected = rowsForJavaScript.map((row) => ({ ...row, tags: row.tags ?? undefined }));
    expect(await parquetReadObjects({ file: buffer, compressors })).toEqual(expected);
  });

  test('parquetjs', async () => {
    const bytes = await fileOfTable(tableForJavaScript, { codec, rowGroupRows: 1500, pageBytes: 2000 });
    const reader = await ParquetReader.openBuffer(bytes);
    const cursor = reader.getCursor();
    const rows: unknown[] = [];
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) rows.push(row);
    await reader.close();
    const shown = rowsForJavaScript.map(({ tags, ...row }) => ({
      ...row,
      tags: tags && { list: tags.map((element) => ({ element })) },
    }));
    expect(rows).toEqual(shown);
  });
});
