import {
  type Field,
  field,
  type Row,
  Special,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rowFromJson, rowToJson } from './payload.js';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const pair = types.struct([field('a', types.int64), field('special', types.string)]);

/** A column of every kind, with its values. */
const COLUMNS: readonly (readonly [Field, fc.Arbitrary<Value>])[] = [
  [field('flag', types.bool), fc.boolean()],
  [field('small', types.int8), fc.integer({ min: -128, max: 127 })],
  [field('big', types.int64), int64],
  [field('huge', types.uint64), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  [field('float', types.float64), fc.double()],
  [field('money', types.decimal(12, 2)), fc.constantFrom('0.00', '-9999999999.99', '1.50')],
  [field('text', types.string), fc.string({ unit: 'grapheme' })],
  [field('raw', types.bytes), fc.uint8Array()],
  [field('ref', types.uuid), fc.constant('01234567-89ab-cdef-0123-456789abcdef')],
  [field('day', types.date), fc.integer({ min: -100_000, max: 100_000 })],
  [field('clock', types.time), fc.bigInt({ min: 0n, max: 86_400_000_000n })],
  [field('at', types.timestamp), int64],
  [
    field('zoned', { kind: 'timestamp', unit: 'us', zone: 'offset' }),
    fc.record({ at: int64, offset: fc.integer({ min: -900, max: 900 }) }),
  ],
  [field('span', types.interval), fc.record({ months: fc.integer(), days: fc.integer(), nanos: int64 })],
  [field('length', types.duration), int64],
  [field('doc', types.json), fc.json()],
  [field('list', types.list(types.int64)), fc.array(fc.option(int64))],
  [
    field('pair', pair),
    fc.record({ a: fc.option(int64), special: fc.option(fc.string()) }) as fc.Arbitrary<Value>,
  ],
  [
    field('map', types.map(types.string, types.int64)),
    fc.array(fc.tuple(fc.string(), fc.option(int64)).map((entry): Value => entry)),
  ],
  [
    field('either', { kind: 'union', variants: [field('n', types.int64), field('s', types.string)] }),
    fc.oneof(
      int64.map((value) => ({ tag: 'n', value })),
      fc.string().map((value) => ({ tag: 's', value })),
    ),
  ],
];

const schema = streamSchema(
  's',
  COLUMNS.map(([column]) => column),
);
const row: fc.Arbitrary<Row> = fc.record(
  Object.fromEntries(
    COLUMNS.map(([{ name }, value]) => [
      name,
      fc.oneof(
        { weight: 6, arbitrary: value },
        fc.constant(null),
        fc.constant(UNCHANGED),
        fc.string().map((text) => new Special(text)),
      ),
    ]),
  ),
);

it('rows come back from their JSON as they were', () => {
  fc.assert(
    fc.property(row, (given) => {
      const json = JSON.parse(JSON.stringify(rowToJson(schema, given)));
      expect(rowFromJson(schema, json)).toEqual(given);
    }),
  );
});
