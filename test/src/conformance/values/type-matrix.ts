/**
 * Every logical type with ordinary and awkward values: the ends of its range, what text formats like to confuse,
 * and what only some systems can hold.
 */
import { type LogicalType, parseTimestamp, types, type Value } from '@sluice/sdk';

export interface TypeCase {
  /** A name that any system takes for a column or table. */
  readonly name: string;
  readonly type: LogicalType;
  /** Values in the forms of the SDK's table. */
  readonly values: readonly Value[];
  /** Texts that lie outside the type, as systems write them. */
  readonly special?: readonly string[];
}

const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

function intCase(bits: 8 | 16 | 32, signed: boolean): TypeCase {
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return {
    name: `${signed ? '' : 'u'}int${bits}`,
    type: { kind: 'int', bits, signed },
    values: [0, 1, low, high, high - 1],
  };
}

/** Precision and scale at their edges: all nines, the smallest step, zero. */
function decimalCase(precision: number, scale: number): TypeCase {
  const whole = '9'.repeat(precision - scale) || '0';
  const point = (digits: string) => (scale > 0 ? `.${digits}` : '');
  const most = `${whole}${point('9'.repeat(scale))}`;
  const least = scale > 0 ? `0.${'1'.padStart(scale, '0')}` : '1';
  const zero = `0${point('0'.repeat(scale))}`;
  return {
    name: `decimal_${precision}_${scale}`,
    type: types.decimal(precision, scale),
    values: [zero, least, `-${least}`, most, `-${most}`],
    special: ['NaN'],
  };
}

function at(text: string, unit: 'us' | 'ns' = 'us'): bigint {
  return parseTimestamp(text, unit, 'none')!;
}

const instants = [
  0n,
  -1n,
  at('2024-02-29T12:34:56.789012'),
  at('1969-12-31T23:59:59.999999'),
  at('0001-01-01T00:00:00'),
  at('-000043-03-15T12:00:00'),
  at('1582-10-10T00:00:00'),
  at('9999-12-31T23:59:59.999999'),
  at('+010000-01-01T00:00:00'),
  at('+294246-01-01T00:00:00'),
  INT64_MAX,
  INT64_MIN,
];
const nanoInstants = [
  0n,
  1n,
  -1n,
  at('2024-02-29T12:34:56.789012345', 'ns'),
  at('1700-01-01T00:00:00', 'ns'),
  INT64_MAX,
  INT64_MIN,
];
const BEYOND_TIME = ['infinity', '-infinity', '4714-11-24 BC'];

const texts = [
  '',
  ' ',
  'plain',
  'trailing  ',
  'Größe, naïve, Ελλάδα, 日本語',
  '\u{1F600} \u{1F469}\u200D\u{1F469}\u200D\u{1F467} \u{10FFFF}',
  'e\u0301 is not \u00e9',
  'tab\tnew\nline\rreturn\u2028separator',
  'quotes \' " ` and back\\slashes \\n \\N',
  'comma, semicolon; pipe | brace {} bracket []',
  'NULL',
  'null',
  '\\N',
  'NaN',
  '-0',
  '1e5',
  '\uFEFFbyte order mark',
  'nul \u0000 inside',
  '=1+1',
];

const longText = 'x'.repeat(1 << 20);

export const typeMatrix: readonly TypeCase[] = [
  { name: 'only_null', type: types.nullType, values: [] },
  { name: 'bool', type: types.bool, values: [true, false] },
  intCase(8, true),
  intCase(16, true),
  intCase(32, true),
  { name: 'int64', type: types.int64, values: [0n, -1n, 9007199254740993n, INT64_MAX, INT64_MIN] },
  intCase(8, false),
  intCase(16, false),
  intCase(32, false),
  { name: 'uint64', type: types.uint64, values: [0n, 1n, 9007199254740993n, INT64_MAX, (1n << 64n) - 1n] },
  {
    name: 'float32',
    type: types.float32,
    values: [
      0,
      1.5,
      Math.fround(0.1),
      3.4028234663852886e38,
      1.401298464324817e-45,
      Number.NaN,
      Infinity,
      -Infinity,
    ],
  },
  {
    name: 'float64',
    type: types.float64,
    values: [
      0,
      0.1,
      1 / 3,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      -9007199254740994,
      Number.NaN,
      Infinity,
      -Infinity,
    ],
  },
  decimalCase(12, 2),
  decimalCase(18, 0),
  decimalCase(18, 18),
  decimalCase(19, 0),
  decimalCase(38, 0),
  decimalCase(38, 10),
  decimalCase(38, 38),
  decimalCase(60, 20),
  {
    name: 'decimal_unbounded',
    type: types.decimal(),
    values: [
      '0',
      '-1.50',
      '123456789012345678901234567890.123456789',
      `0.${'0'.repeat(40)}1`,
      '9'.repeat(50),
    ],
    special: ['NaN', 'Infinity', '-Infinity'],
  },
  { name: 'string', type: types.string, values: [...texts, longText] },
  {
    name: 'bytes',
    type: types.bytes,
    values: [
      new Uint8Array(0),
      Uint8Array.of(0),
      Uint8Array.from({ length: 256 }, (_, i) => i),
      new Uint8Array(65_537).fill(0xfe),
    ],
  },
  {
    name: 'uuid',
    type: types.uuid,
    values: [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '0190163d-8694-739b-aea5-966c26f8ad91',
    ],
  },
  {
    name: 'date',
    type: types.date,
    values: [0, -1, 19782, -719162, -719163, -135147, 2932896, 2932897, 2147483647, -2147483647],
    special: BEYOND_TIME,
  },
  { name: 'time_us', type: types.time, values: [0n, 1n, 45_296_789_012n, 86_399_999_999n, 86_400_000_000n] },
  {
    name: 'time_ns',
    type: { kind: 'time', unit: 'ns' },
    values: [0n, 1n, 45_296_789_012_345n, 86_399_999_999_999n],
  },
  { name: 'timestamp_us', type: types.timestamp, values: instants, special: BEYOND_TIME },
  { name: 'timestamp_us_none', type: types.timestampLocal, values: instants, special: BEYOND_TIME },
  { name: 'timestamp_ns', type: { kind: 'timestamp', unit: 'ns', zone: 'utc' }, values: nanoInstants },
  { name: 'timestamp_ns_none', type: { kind: 'timestamp', unit: 'ns', zone: 'none' }, values: nanoInstants },
  {
    name: 'timestamp_offset',
    type: { kind: 'timestamp', unit: 'us', zone: 'offset' },
    values: [
      { at: 0n, offset: 0 },
      { at: at('2024-02-29T12:34:56.789012'), offset: 345 },
      { at: at('2024-02-29T12:34:56.789012'), offset: -720 },
      { at: at('0001-01-02T00:00:00'), offset: 840 },
    ],
  },
  {
    name: 'interval',
    type: types.interval,
    values: [
      { months: 0, days: 0, nanos: 0n },
      { months: 14, days: -3, nanos: 3_723_000_004_000n },
      { months: -1, days: 45, nanos: -1_000n },
      { months: 0, days: 0, nanos: 1n },
      { months: 2147483647, days: -2147483648, nanos: INT64_MAX },
    ],
  },
  { name: 'duration_us', type: types.duration, values: [0n, 1n, -1n, 90_061_000_001n, INT64_MAX, INT64_MIN] },
  {
    name: 'duration_ns',
    type: { kind: 'duration', unit: 'ns' },
    values: [0n, 1n, -1n, 90_061_000_000_001n, INT64_MAX],
  },
  {
    name: 'json_raw',
    type: types.json,
    values: [
      '{}',
      '[]',
      '"text"',
      ' { "b" : 1.50 , "a" : [1, 2] } ',
      '12345678901234567890.123456789',
      '1e400',
      '{"a":1,"a":2}',
      '"\\u0000 and \\ud83d\\ude00"',
    ],
  },
  { name: 'json_null', type: types.json, values: ['null'] },
  {
    name: 'json_normalised',
    type: { kind: 'json', text: 'normalised' },
    values: ['{}', '{"a": 1, "b": [true, null, "x"]}', '12345678901234567890'],
  },
  {
    name: 'enum',
    type: types.enumOf('red', 'dark green', "o'blue", ''),
    values: ['red', 'dark green', "o'blue", ''],
  },
  { name: 'list_int32', type: types.list(types.int32), values: [[], [1, -2, 2147483647], [null], [1, null]] },
  {
    name: 'list_string',
    type: types.list(types.string),
    values: [[], [''], ['a,b', '"', '{}', '\\', 'NULL', '\u{1F600}', ' x '], [null, 'null']],
  },
  {
    name: 'list_list',
    type: types.list(types.list(types.int64)),
    values: [[], [[]], [[1n, 2n], [3n]], [[1n], null]],
  },
  {
    name: 'struct',
    type: types.struct([
      { name: 'a', type: types.int32, nullable: true },
      { name: 'b c', type: types.string, nullable: true },
      { name: 'd', type: types.decimal(10, 2), nullable: true },
    ]),
    values: [
      { a: 1, 'b c': 'x', d: '1.50' },
      { a: null, 'b c': null, d: null },
      { a: -1, 'b c': '', d: '-0.01' },
    ],
  },
  {
    name: 'list_struct',
    type: types.list(types.struct([{ name: 'a', type: types.int32, nullable: true }])),
    values: [[], [{ a: 1 }, { a: null }], [{ a: 2 }, null]],
  },
  {
    name: 'map',
    type: types.map(types.string, types.int32),
    values: [
      [],
      [['a', 1]],
      [
        ['', null],
        ['b', -1],
        ['"quoted"', 2],
      ],
    ],
  },
  {
    name: 'union',
    type: {
      kind: 'union',
      variants: [
        { name: 'number', type: types.int32, nullable: true },
        { name: 'text', type: types.string, nullable: true },
      ],
    },
    values: [
      { tag: 'number', value: 7 },
      { tag: 'text', value: 'seven' },
      { tag: 'text', value: null },
    ],
  },
  { name: 'native', type: types.native('point'), values: ['(1,2)', '(-0.5,1e10)'] },
];
