// Files of writers that are not ours: Arrow with all its encodings, codecs and page versions, DuckDB, parquetjs.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParquetSchema, ParquetWriter } from '@dsnp/parquetjs';
import { formatType, Special, type Value } from '@sluice/sdk';
import { needsPythonReaders } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openParquet } from './file.js';
import { type ComparableTable, comparableTable, runPython } from './testing/arrow.js';
import { readTable, type Table } from './testing/memory-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-writers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function typesOf({ fields }: Table): { [column: string]: string } {
  return Object.fromEntries(
    fields.map(({ name, type, nullable }) => [name, `${formatType(type)}${nullable ? '' : '!'}`]),
  );
}

/** A table with nulls, repetition, sorted text and nesting; `expected` is what is to be read of it. */
const ARROW_TABLE = `
import datetime, decimal, os, random
random.seed(7)
rows = 3000
def some(make, share=0.2):
    return [None if random.random() < share else make() for _ in range(rows)]
def whole(low, high):
    return lambda: random.randint(low, high)
table = pa.table({
    'i8': pa.array(some(whole(-128, 127)), pa.int8()),
    'u16': pa.array(some(whole(0, 65535)), pa.uint16()),
    'i32': pa.array(some(whole(-2**31, 2**31 - 1)), pa.int32()),
    'u32': pa.array(some(whole(0, 2**32 - 1)), pa.uint32()),
    'i64': pa.array(some(whole(-2**63, 2**63 - 1)), pa.int64()),
    'u64': pa.array(some(whole(0, 2**64 - 1)), pa.uint64()),
    'seq': pa.array(range(rows), pa.int64()),
    'steps': pa.array([i * 1000 - (i % 3) for i in range(rows)], pa.int32()),
    'few': pa.array(some(lambda: 'value %d' % random.randrange(50)), pa.string()),
    'sorted': pa.array(sorted('prefix/%06d/%s' % (random.randrange(10**6), 'é' * random.randrange(30)) for _ in range(rows)), pa.string()),
    'large': pa.array(some(lambda: 'x' * random.randrange(200)), pa.large_string()),
    'bytes': pa.array(some(lambda: random.randbytes(random.randrange(9))), pa.binary()),
    'fixed': pa.array(some(lambda: random.randbytes(5)), pa.binary(5)),
    'bool': pa.array(some(lambda: random.random() < 0.5), pa.bool_()),
    'runs': pa.array([i // 700 % 2 == 0 for i in range(rows)], pa.bool_()),
    'f32': pa.array(some(lambda: random.uniform(-9, 9)), pa.float32()),
    'f64': pa.array(some(lambda: random.choice([random.uniform(-9, 9), float('nan'), float('inf'), -0.0])), pa.float64()),
    'd9': pa.array(some(lambda: decimal.Decimal(random.randrange(-10**9 + 1, 10**9)).scaleb(-2)), pa.decimal128(9, 2)),
    'd30': pa.array(some(lambda: decimal.Decimal(random.randrange(-10**30 + 1, 10**30)).scaleb(-4, decimal.Context(prec=60))), pa.decimal128(30, 4)),
    'd60': pa.array(some(lambda: decimal.Decimal(random.randrange(-10**60 + 1, 10**60)).scaleb(-9, decimal.Context(prec=80))), pa.decimal256(60, 9)),
    'date': pa.array(some(whole(-700000, 2900000)), pa.date32()),
    'time_ms': pa.array(some(whole(0, 86399999)), pa.time32('ms')),
    'time_us': pa.array(some(whole(0, 86399999999)), pa.time64('us')),
    'ts_ms': pa.array(some(whole(-2**40, 2**41)), pa.timestamp('ms')),
    'ts_us': pa.array(some(whole(-2**55, 2**56)), pa.timestamp('us', 'UTC')),
    'ts_ns': pa.array(some(whole(-2**63, 2**63 - 1)), pa.timestamp('ns')),
    'nothing': pa.nulls(rows),
    'list': pa.array(some(lambda: [random.choice([None, 1, 2]) for _ in range(random.randrange(5))]), pa.list_(pa.int32())),
    'lists': pa.array(some(lambda: [random.choice([None, [], ['a', None]]) for _ in range(random.randrange(4))]), pa.list_(pa.list_(pa.string()))),
    'map': pa.array(some(lambda: [('k%d' % i, random.choice([None, i])) for i in range(random.randrange(3))]), pa.map_(pa.string(), pa.int64())),
    'struct': pa.array(some(lambda: {'a': random.choice([None, 1]), 'l': random.choice([None, [], [{'x': 1.5}, None]])}),
        pa.struct([('a', pa.int8()), pa.field('l', pa.list_(pa.struct([('x', pa.float64())])))])),
    'category': pa.array(some(lambda: random.choice(['red', 'green']))).dictionary_encode(),
})
def read_as(name, t):
    i = table.column_names.index(name)
    return table.set_column(i, name, table[name].cast(t))
expected = read_as('time_ms', pa.time64('us'))
expected = expected.set_column(expected.column_names.index('ts_ms'), 'ts_ms', table['ts_ms'].cast(pa.timestamp('us')))
`;

const ARROW_TYPES = {
  i8: 'int8',
  u16: 'uint16',
  i32: 'int32',
  u32: 'uint32',
  i64: 'int64',
  u64: 'uint64',
  few: 'string',
  large: 'string',
  bytes: 'bytes',
  fixed: 'bytes',
  bool: 'bool',
  f32: 'float32',
  d9: 'decimal(9,2)',
  d60: 'decimal(60,9)',
  date: 'date',
  time_ms: 'time',
  time_us: 'time',
  ts_ms: 'timestamp(us, none)',
  ts_us: 'timestamp(us, utc)',
  ts_ns: 'timestamp(ns, none)',
  nothing: 'null',
  list: 'list<int32>',
  lists: 'list<list<string>>',
  map: 'map<string, int64>',
  struct: 'struct<a: int8, l: list<struct<x: float64>>>',
  category: 'string',
};

const delta = {
  ...{
    i8: 'DELTA_BINARY_PACKED',
    u16: 'DELTA_BINARY_PACKED',
    i32: 'DELTA_BINARY_PACKED',
    u32: 'DELTA_BINARY_PACKED',
  },
  ...{
    i64: 'DELTA_BINARY_PACKED',
    u64: 'DELTA_BINARY_PACKED',
    seq: 'DELTA_BINARY_PACKED',
    steps: 'DELTA_BINARY_PACKED',
  },
  ...{
    few: 'DELTA_LENGTH_BYTE_ARRAY',
    sorted: 'DELTA_BYTE_ARRAY',
    large: 'DELTA_BYTE_ARRAY',
    bytes: 'DELTA_BYTE_ARRAY',
  },
  ...{
    fixed: 'DELTA_BYTE_ARRAY',
    bool: 'RLE',
    runs: 'RLE',
    f32: 'BYTE_STREAM_SPLIT',
    f64: 'BYTE_STREAM_SPLIT',
  },
  ...{
    d30: 'BYTE_STREAM_SPLIT',
    date: 'BYTE_STREAM_SPLIT',
    ts_us: 'BYTE_STREAM_SPLIT',
    ts_ns: 'DELTA_BINARY_PACKED',
  },
};
const encodings = {
  dictionary: { use_dictionary: true },
  plain: { use_dictionary: false },
  delta: { use_dictionary: false, column_encoding: delta },
};
const codecs = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'];

describe('Arrow', () => {
  needsPythonReaders();
  let expected: ComparableTable;

  beforeAll(async () => {
    const program = `${ARROW_TABLE}
folder, encodings, codecs = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
for version in ['1.0', '2.0']:
    for name, options in encodings.items():
        for codec in codecs:
            pq.write_table(table, f'{folder}/{version}-{name}-{codec}.parquet', compression=codec, data_page_version=version,
                data_page_size=4096, row_group_size=1700, dictionary_pagesize_limit=20000, **options)
show(expected)
`;
    expected = JSON.parse(
      await runPython(program, folder, JSON.stringify(encodings), JSON.stringify(codecs)),
    ) as ComparableTable;
  }, 180_000);

  describe.each(['1.0', '2.0'])('pages of version %s', (version) => {
    describe.each(Object.keys(encodings))('%s', (encoding) => {
      test.each(codecs)('%s', async (codec) => {
        const bytes = await readFile(join(folder, `${version}-${encoding}-${codec}.parquet`));
        const table = await readTable(bytes, { batchRows: 700 });
        expect(typesOf(table)).toMatchObject(ARROW_TYPES);
        expect(comparableTable(table)).toEqual(expected);
      });
    });
  });

  test('INT96, in microseconds with what is finer as special, or in nanoseconds', async () => {
    const path = join(folder, 'int96.parquet');
    const program = `
pq.write_table(pa.table({'t': pa.array([0, None, -1000, 1700000000123456000, 1700000000123456789], pa.timestamp('ns'))}),
    sys.argv[1], use_deprecated_int96_timestamps=True)
`;
    await runPython(program, path);
    const bytes = await readFile(path);
    const micros = await readTable(bytes);
    expect(typesOf(micros)).toEqual({ t: 'timestamp(us, none)' });
    const special = new Special('2023-11-14T22:13:20.123456789');
    expect(micros.values).toEqual([[0n, null, -1n, 1_700_000_000_123_456n, special]]);
    const nanos = await readTable(bytes, { int96: 'ns' });
    expect(typesOf(nanos)).toEqual({ t: 'timestamp(ns, none)' });
    expect(nanos.values).toEqual([
      [0n, null, -1000n, 1_700_000_000_123_456_000n, 1_700_000_000_123_456_789n],
    ]);
  });

  test('half precision, text that is no UTF-8, and required columns', async () => {
    const path = join(folder, 'odd.parquet');
    const program = `
bad = pa.array([b'good', b'b\\xffd', None, b'\\xc3', b'\\xa9'], pa.binary())
text = pa.Array.from_buffers(pa.string(), 5, bad.buffers())
half = pa.array([1.5, -0.0, None, 65504.0, 6e-8], pa.float32()).cast(pa.float16())
schema = pa.schema([pa.field('id', pa.int32(), nullable=False), ('half', pa.float16()), ('text', pa.string()),
    pa.field('list', pa.list_(pa.field('element', pa.int32(), nullable=False)), nullable=False)])
pq.write_table(pa.table([pa.array(range(5), pa.int32()), half, text, pa.array([[1], [], [2, 3], [], [4]], pa.list_(schema.field('list').type.value_field))],
    schema=schema), sys.argv[1])
`;
    await runPython(program, path);
    const table = await readTable(await readFile(path));
    expect(typesOf(table)).toEqual({
      id: 'int32!',
      half: 'float32',
      text: 'string',
      list: 'list<int32 not null>!',
    });
    expect(table.values.slice(1)).toEqual([
      [1.5, -0, null, 65_504, 2 ** -24],
      // The two halves of a character are no text each, though they would be together.
      ['good', new Special('\\x62ff64'), null, new Special('\\xc3'), new Special('\\xa9')],
      [[1], [], [2, 3], [], [4]],
    ]);
  });

  test('three million flights that Polars wrote', async () => {
    // The package exports its code alone.
    const path = fileURLToPath(
      new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
    );
    const program = `
import hashlib, pyarrow.compute as pc
def digest(a):
    a = pa.concat_arrays(a.chunks)
    assert a.null_count == 0 and a.offset == 0
    if pa.types.is_string(a.type) or pa.types.is_large_string(a.type):
        lengths = pc.binary_length(a).cast(pa.int32())
        data = a.buffers()[2]
        return hashlib.sha256(lengths.buffers()[1]).hexdigest() + hashlib.sha256(data).hexdigest()
    if pa.types.is_timestamp(a.type): a = a.cast(pa.timestamp('us'))
    return hashlib.sha256(a.cast(pa.int64()).buffers()[1]).hexdigest()
table = pq.read_table(sys.argv[1])
json.dump({'rows': table.num_rows, 'digests': {name: digest(table[name]) for name in table.column_names}}, sys.stdout)
`;
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const read = async (offset: number, length: number) => {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      };
      const file = await openParquet({ size, read });
      const digests = file.fields.map(() => [createHash('sha256'), createHash('sha256')] as const);
      for (let group = 0; group < file.rowGroups.length; group++) {
        for await (const { columns } of file.readRowGroup(group, { batchRows: 50_000 })) {
          for (const [i, { data, validity }] of columns.entries()) {
            expect(validity).toBeUndefined();
            const [values, texts] = digests[i]!;
            if (data.layout === 'fixed') values.update(data.values);
            if (data.layout !== 'varlen') continue;
            values.update(data.offsets.subarray(1).map((end, row) => end - data.offsets[row]!));
            texts.update(data.data.subarray(data.offsets[0]!, data.offsets.at(-1)!));
          }
        }
      }
      const shown = file.fields.map(({ name, type }, i) => {
        const [values, texts] = digests[i]!;
        return [name, values.digest('hex') + (type.kind === 'string' ? texts.digest('hex') : '')];
      });
      const outside = JSON.parse(await runPython(program, path)) as unknown;
      expect({ rows: file.rows, digests: Object.fromEntries(shown) }).toEqual(outside);
    } finally {
      await handle.close();
    }
  });
});

describe('DuckDB', () => {
  needsPythonReaders();

  test.each([
    ['V1', 'snappy'],
    ['V2', 'zstd'],
    ['V1', 'lz4_raw'],
    ['V2', 'brotli'],
  ])('%s, %s', async (version, codec) => {
    const path = join(folder, `duckdb-${version}-${codec}.parquet`);
    const program = `
import duckdb
c = duckdb.connect()
c.execute("SET TimeZone = 'UTC'")
c.execute('''CREATE TABLE t AS SELECT
  i::BIGINT AS id, (i % 200 - 100)::TINYINT AS tiny, i::USMALLINT AS small, i::UINTEGER * 100000 AS wide,
  CASE WHEN i % 3 > 0 THEN 'name ' || (i % 40) END AS name, (i * 1.25)::DECIMAL(12, 2) AS price,
  (i * 1000000007)::DECIMAL(30, 5) AS large, (i % 100)::DECIMAL(4, 1) AS little, i / 7 AS ratio, (i / 7)::FLOAT AS real,
  i % 2 = 0 AS even, DATE '1970-01-01' + i::INTEGER AS day, TIMESTAMP '2020-01-01' + INTERVAL (i) MINUTE AS at,
  (TIMESTAMP '2020-01-01' + INTERVAL (i) MINUTE)::TIMESTAMPTZ AS instant,
  (TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMP_NS AS nanos, TIME '00:00:00.5' + INTERVAL (i) SECOND AS clock,
  uuid() AS ref, ('\\\\xAA' || i)::BLOB AS raw, CASE WHEN i % 4 > 0 THEN [i, NULL, i + 1] END AS list,
  {'a': i, 'b': CASE WHEN i % 2 = 0 THEN ['x', 'y'] END} AS pair,
  MAP {'k' || i: i::DOUBLE} AS map, ('{"n": ' || i || '}')::JSON AS doc, ['one', 'two', 'three'][1 + i % 3]::ENUM ('one', 'two', 'three') AS word
FROM range(5000) r(i)''')
path, version, codec = sys.argv[1:4]
c.execute(f"COPY t TO '{path}' (FORMAT parquet, CODEC '{codec}', PARQUET_VERSION {version}, ROW_GROUP_SIZE 2048)")
show(c.execute('SELECT * FROM t').fetch_arrow_table())
`;
    const expected = JSON.parse(await runPython(program, path, version, codec)) as ComparableTable;
    const table = await readTable(await readFile(path));
    expect(typesOf(table)).toMatchObject({
      tiny: 'int8',
      small: 'uint16',
      wide: 'uint32',
      price: 'decimal(12,2)',
      large: 'decimal(30,5)',
      little: 'decimal(4,1)',
      instant: 'timestamp(us, utc)',
      nanos: 'timestamp(ns, none)',
      ref: 'uuid',
      doc: 'json',
      word: 'string',
    });
    expect(comparableTable(table)).toEqual(expected);
  });

  test('intervals, whose milliseconds become nanoseconds', async () => {
    const path = join(folder, 'interval.parquet');
    const program = `
import duckdb
duckdb.execute("COPY (SELECT * FROM (VALUES (INTERVAL '14 months 3 days 1.5 seconds'), (NULL), (INTERVAL '0 days')) t(v)) TO '" + sys.argv[1] + "' (FORMAT parquet)")
`;
    await runPython(program, path);
    const table = await readTable(await readFile(path));
    expect(typesOf(table)).toEqual({ v: 'interval' });
    expect(table.values).toEqual([
      [{ months: 14, days: 3, nanos: 1_500_000_000n }, null, { months: 0, days: 0, nanos: 0n }],
    ]);
  });
});

describe('parquetjs', () => {
  test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI'] as const)('%s', async (compression) => {
    const schema = new ParquetSchema({
      id: { type: 'INT64', compression },
      name: { type: 'UTF8', optional: true, compression },
      ok: { type: 'BOOLEAN', compression },
      ratio: { type: 'DOUBLE', compression },
      at: { type: 'TIMESTAMP_MILLIS', compression },
      day: { type: 'DATE', optional: true, compression },
      tags: { type: 'UTF8', repeated: true, compression },
      place: {
        fields: { x: { type: 'INT32', compression }, y: { type: 'INT32', optional: true, compression } },
      },
      stock: {
        repeated: true,
        fields: { sku: { type: 'UTF8', compression }, n: { type: 'INT32', repeated: true, compression } },
      },
    });
    const path = join(folder, `parquetjs-${compression}.parquet`);
    const writer = await ParquetWriter.openFile(schema, path, { rowGroupSize: 400 });
    const expected: Value[][] = schema.fieldList.filter((field) => field.path.length === 1).map(() => []);
    for (let i = 0; i < 1000; i++) {
      const row = {
        id: BigInt(i),
        name: i % 3 === 0 ? undefined : `name ${i}`,
        ok: i % 2 === 0,
        ratio: i / 3,
        at: new Date(1_600_000_000_000 + i),
        day: i % 5 === 0 ? undefined : new Date(i * 86_400_000),
        tags: Array.from({ length: i % 4 }, (_, k) => `tag ${k}`),
        place: { x: i, y: i % 2 === 0 ? undefined : -i },
        stock: Array.from({ length: i % 3 }, (_, k) => ({
          sku: `s${k}`,
          n: Array.from({ length: k }, () => i),
        })),
      };
      await writer.appendRow(row);
      const read: Value[] = [
        row.id,
        row.name ?? null,
        row.ok,
        row.ratio,
        BigInt(row.at.getTime()) * 1000n,
        row.day === undefined ? null : i,
        row.tags,
        { x: i, y: row.place.y ?? null },
        row.stock,
      ];
      for (const [column, value] of read.entries()) expected[column]!.push(value);
    }
    await writer.close();
    const table = await readTable(await readFile(path), { batchRows: 77 });
    expect(typesOf(table)).toEqual({
      id: 'int64!',
      name: 'string',
      ok: 'bool!',
      ratio: 'float64!',
      at: 'timestamp(us, utc)!',
      day: 'date',
      tags: 'list<string not null>!',
      place: 'struct<x: int32 not null, y: int32>!',
      stock: 'list<struct<sku: string not null, n: list<int32 not null> not null> not null>!',
    });
    expect(table.values).toEqual(expected);
  });
});
