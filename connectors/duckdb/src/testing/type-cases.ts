/** Every logical type with the DuckDB type it becomes, values at its edges, and DuckDB's text of each. */
import {
  field,
  type LogicalType,
  parseDate,
  parseTimestamp,
  Special,
  t,
  types,
  type Value,
} from '@sluice/sdk';

export interface Case {
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

export const CASES: readonly Case[] = [
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
