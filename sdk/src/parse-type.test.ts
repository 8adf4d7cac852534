import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseType } from './parse-type.js';
import * as types from './types.js';
import { formatType, type LogicalType } from './types.js';

const unit = fc.constantFrom('us' as const, 'ns' as const);
const name = fc.stringMatching(/^[a-z_][a-z0-9_ ]{0,8}[a-z0-9_]$/).filter((text) => text.trim() === text);

const { type } = fc.letrec<{ type: LogicalType }>((tie) => {
  const member = fc.record({ name, type: tie('type'), nullable: fc.boolean() });
  return {
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        types.bool,
        types.int8,
        types.uint64,
        types.float32,
        types.string,
        types.uuid,
        types.interval,
      ),
      fc.constantFrom(types.decimal(), types.json, types.nullType, types.date, types.bytes),
      fc.record({ kind: fc.constant('time' as const), unit }),
      fc.record({ kind: fc.constant('duration' as const), unit }),
      fc.record({
        kind: fc.constant('timestamp' as const),
        unit,
        zone: fc.constantFrom('utc' as const, 'none' as const, 'offset' as const),
      }),
      fc
        .record({ precision: fc.integer({ min: 1, max: 60 }), scale: fc.nat(60) })
        .map(({ precision, scale }) => types.decimal(precision, Math.min(precision, scale))),
      fc.constant({ kind: 'json', text: 'normalised' } as const),
      fc.array(fc.string(), { maxLength: 3 }).map((values) => types.enumOf(...values)),
      fc.constantFrom('int4range', 'geometry(Point,4326)').map(types.native),
      fc.tuple(tie('type'), fc.boolean()).map(([item, nullable]) => types.list(item, nullable)),
      fc.tuple(tie('type'), tie('type')).map(([key, value]) => types.map(key, value)),
      fc.array(member, { maxLength: 3 }).map(types.struct),
      fc.array(member, { maxLength: 3 }).map((variants) => ({ kind: 'union', variants }) as LogicalType),
    ),
  };
});

test('reads every text that formatType writes', () => {
  fc.assert(
    fc.property(type, (original) => {
      expect(parseType(formatType(original))).toEqual(original);
    }),
    { numRuns: 500 },
  );
});

test('fills in what is usual and allows spaces', () => {
  expect(parseType('timestamp')).toEqual(types.timestamp);
  expect(parseType('timestamp(none)')).toEqual(types.timestampLocal);
  expect(parseType(' decimal( 10 ) ')).toEqual(types.decimal(10, 0));
  expect(parseType('list< struct<"a b": int32 not null, c: string> >')).toEqual(
    types.list(
      types.struct([types.field('a b', types.int32, { nullable: false }), types.field('c', types.string)]),
    ),
  );
});

test.each([
  ['itn32', 'did you mean int32?'],
  ['decimal(2,3)', 'scale'],
  ['decimal(x)', 'precision'],
  ['list<int32', '> is missing'],
  ['int32 int32', 'left over'],
  ['timestamp(ms)', 'us or ns'],
  ['', 'a type is missing'],
  ['enum(a)', 'double quotes'],
  ['constructor', 'no type'],
])('refuses %s', (text, why) => {
  expect(() => parseType(text)).toThrow(why);
});

test('reads the names that SQL has for the same types', () => {
  expect(parseType('bigint')).toEqual(types.int64);
  expect(parseType('INTEGER')).toEqual(types.int32);
  expect(parseType('text')).toEqual(types.string);
  expect(parseType('numeric(12, 2)')).toEqual(types.decimal(12, 2));
  expect(parseType('list<timestamptz>')).toEqual(types.list(types.timestamp));
});
