/** Columns of nasty values for property tests: every type, with nulls and what stands at the edges. */
import {
  type Column,
  columnOf,
  type Field,
  formatUuid,
  type LogicalType,
  types,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\n', '\r', '\t', '\\', ' ', 'a', 'ż', '😀', "'", ';'),
    maxLength: 8,
  }),
  fc.constantFrom(
    '',
    '""',
    'NULL',
    '\\N',
    '007',
    ' padded ',
    '\uFEFFmark',
    'x'.repeat(300),
    'null',
    '\u0000',
    '\u2028',
    '#',
  ),
);
const days = fc.oneof(
  fc.integer({ min: -800_000, max: 3_000_000 }),
  fc.constantFrom(0, -719_528, 2_932_896, 2_932_897),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.constantFrom(
    2n ** 53n,
    -(2n ** 53n),
    2n ** 53n - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    999_999_999_999_999n,
  ),
);
const micros = fc.oneof(
  fc.bigInt({ min: -60_000_000_000_000_000n, max: 240_000_000_000_000_000n }),
  fc.constantFrom(0n, -1n, 1n, 1_709_214_300_500_000n, 253_402_300_799_999_999n, -62_135_596_800_000_000n),
);
const nanos = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const json = fc.json({ maxDepth: 2 }).filter((document) => document !== 'null');

function decimalText(precision: number, scale: number): fc.Arbitrary<string> {
  return fc
    .bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n })
    .map((unscaled) => {
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
      const whole = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
      return unscaled < 0n ? `-${whole}` : whole;
    });
}

function integer(min: number, max: number): fc.Arbitrary<Value> {
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0));
}

/** A type and values of it. */
type Kind = readonly [LogicalType, fc.Arbitrary<Value>];

const SCALARS: readonly Kind[] = [
  [types.bool, fc.boolean()],
  [types.int8, integer(-128, 127)],
  [types.int16, integer(-32_768, 32_767)],
  [types.int32, integer(-(2 ** 31), 2 ** 31 - 1)],
  [types.uint8, integer(0, 255)],
  [types.uint16, integer(0, 65_535)],
  [types.uint32, integer(0, 2 ** 32 - 1)],
  [types.int64, int64],
  [types.uint64, fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 2n ** 64n - 1n))],
  [types.float32, fc.float()],
  [types.float64, fc.double()],
  [types.decimal(12, 2), decimalText(12, 2)],
  [types.decimal(18, 0), decimalText(18, 0)],
  [types.decimal(18, 18), decimalText(18, 18)],
  [types.decimal(38, 10), decimalText(38, 10)],
  [types.decimal(50, 5), decimalText(50, 5)],
  [types.decimal(), decimalText(40, 7)],
  [types.string, text],
  [types.json, json],
  [types.native('point'), text],
  [types.enumOf('a', 'b "c"', ''), fc.constantFrom('a', 'b "c"', '')],
  [types.bytes, fc.uint8Array({ maxLength: 20 })],
  [types.uuid, fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(bytes))],
  [types.date, days],
  [types.time, fc.bigInt({ min: 0n, max: 86_400_000_000n })],
  [{ kind: 'time', unit: 'ns' }, fc.bigInt({ min: 0n, max: 86_400_000_000_000n })],
  [types.timestamp, micros],
  [types.timestampLocal, micros],
  [{ kind: 'timestamp', unit: 'ns', zone: 'utc' }, nanos],
  [
    { kind: 'timestamp', unit: 'us', zone: 'offset' },
    fc.record({ at: micros, offset: fc.integer({ min: -1080, max: 1080 }) }),
  ],
  [
    types.interval,
    fc.record({
      months: fc.integer({ min: -9999, max: 9999 }),
      days: fc.integer({ min: -9999, max: 9999 }),
      nanos,
    }),
  ],
  [types.duration, int64],
];

const struct = types.struct([types.field('a', types.int64), types.field('b "c"', types.string)]);
const structValue = fc.record({
  a: fc.option(int64) as fc.Arbitrary<Value>,
  'b "c"': fc.option(text) as fc.Arbitrary<Value>,
}) as fc.Arbitrary<Value>;
const union: LogicalType = {
  kind: 'union',
  variants: [types.field('n', types.int32), types.field('t', types.string)],
};

const NESTED: readonly Kind[] = [
  [types.list(types.int64), fc.array(fc.option(int64), { maxLength: 4 })],
  [types.list(types.decimal(12, 2)), fc.array(decimalText(12, 2), { maxLength: 3 })],
  [
    types.list(types.timestamp),
    fc.array(
      micros.filter((at) => at > -6n * 10n ** 16n),
      { maxLength: 3 },
    ),
  ],
  [struct, structValue],
  [types.list(struct), fc.array(structValue, { maxLength: 3 })],
  [
    types.map(types.string, types.float64),
    fc.uniqueArray(fc.tuple(text, fc.option(fc.double())), {
      selector: ([key]) => key,
      maxLength: 3,
    }) as fc.Arbitrary<Value>,
  ],
  [
    types.map(types.int32, types.string),
    fc.uniqueArray(fc.tuple(fc.integer(), fc.option(text)), {
      selector: ([key]) => key,
      maxLength: 3,
    }) as fc.Arbitrary<Value>,
  ],
  [
    union,
    fc.oneof(
      fc.record({ tag: fc.constant('n'), value: fc.option(fc.integer()) }),
      fc.record({ tag: fc.constant('t'), value: fc.option(text) }),
    ) as fc.Arbitrary<Value>,
  ],
];

export interface Table {
  readonly fields: readonly Field[];
  readonly columns: readonly Column[];
  readonly values: readonly (readonly Value[])[];
  readonly rows: number;
}

/** Tables of one to six columns of any type, with nulls among the values. */
export const table: fc.Arbitrary<Table> = tableOf([...SCALARS, ...NESTED]);

/** A table that has a column of every type. */
export const everyType: fc.Arbitrary<Table> = fc
  .integer({ min: 1, max: 8 })
  .chain((rows) => columnsOf([...SCALARS, ...NESTED], rows));

function tableOf(kinds: readonly Kind[]): fc.Arbitrary<Table> {
  return fc
    .tuple(
      fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 12 }),
    )
    .chain(([chosen, rows]) => columnsOf(chosen, rows));
}

function columnsOf(kinds: readonly Kind[], rows: number): fc.Arbitrary<Table> {
  const columns = kinds.map(([, value]) =>
    fc.array(fc.option(value, { freq: 6 }) as fc.Arbitrary<Value>, { minLength: rows, maxLength: rows }),
  );
  return fc.tuple(...columns).map((values) => {
    const fields = kinds.map(([type], i) => types.field(`c${i} "x"`, type));
    return { fields, values, rows, columns: fields.map((f, i) => columnOf(f, values[i]!)) };
  });
}
