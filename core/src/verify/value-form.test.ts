import {
  type Field,
  field,
  type LogicalType,
  type OffsetTimestamp,
  Special,
  type TimeUnit,
  types,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalForm, roundedDecimal } from './decimal-form.js';
import { documentForm } from './document-form.js';
import { valueForms } from './value-form.js';

function same(from: LogicalType, to: LogicalType | Field, a: Value, b: Value): boolean {
  const target = 'kind' in to ? field('c', to) : to;
  const forms = valueForms(field('c', from), target)!;
  return forms.source(a) === forms.target(b);
}

const time = (unit: TimeUnit): LogicalType => ({ kind: 'time', unit });
const stamp = (unit: TimeUnit, zone: 'utc' | 'none' | 'offset'): LogicalType => ({
  kind: 'timestamp',
  unit,
  zone,
});
const normalised: LogicalType = { kind: 'json', text: 'normalised' };
const at = (at: bigint, offset: number): OffsetTimestamp => ({ at, offset });
const pair = types.struct([field('a', types.int32), field('b', types.string)]);
const held = types.struct([field('at', types.timestamp), field('offset', types.int16)]);
const months = types.struct([
  field('months', types.int32),
  field('days', types.int32),
  field('nanos', types.int64),
]);
const map = types.map(types.string, types.int32);
const union: LogicalType = { kind: 'union', variants: [field('n', types.int32), field('s', types.string)] };

const EQUAL: readonly (readonly [string, LogicalType, LogicalType | Field, Value, Value])[] = [
  ['an integer in a wider one', types.int32, types.int64, 7, 7n],
  ['an integer as a decimal', types.uint64, types.decimal(20, 0), 2n ** 64n - 1n, '18446744073709551615'],
  ['decimals of other scales', types.decimal(12, 2), types.decimal(14, 4), '12.30', '12.3000'],
  ['an unbounded decimal as text', types.decimal(), types.string, '-0.50', '-0.50'],
  ['a decimal that the target rounds', types.decimal(12, 4), types.decimal(12, 2), '-1.2350', '-1.24'],
  ['NaN as a decimal, in text', types.decimal(), types.string, new Special('NaN'), 'NaN'],
  ['a narrow float in a wide one', types.float32, types.float64, Math.fround(0.1), Math.fround(0.1)],
  ['NaN', types.float64, types.float64, Number.NaN, Number.NaN],
  ['zero and minus zero', types.float64, types.float64, 0, -0],
  ['a document in spaces', types.json, types.json, ' {"a": 1}\n', '{"a": 1}'],
  ['NaN that a source calls special', types.float64, types.float64, new Special('NaN'), Number.NaN],
  ['a label as text', types.enumOf('a', 'b'), types.string, 'a', 'a'],
  ['text of another system', types.native('inet'), types.string, '::1', '::1'],
  [
    'text in a padded column',
    types.string,
    field('c', types.string, { native: 'character(5)' }),
    'ab',
    'ab   ',
  ],
  [
    'a uuid in capitals',
    types.uuid,
    types.string,
    '00112233-4455-6677-8899-aabbccddeeff',
    '00112233-4455-6677-8899-AABBCCDDEEFF',
  ],
  ['an infinite date', types.date, types.date, new Special('infinity'), new Special('infinity')],
  ['a date BC', types.date, types.date, new Special('0044-03-15 BC'), -735_160],
  ['nanoseconds cut off a time', time('ns'), time('us'), 1999n, 1n],
  ['nanoseconds cut off an instant before 1970', stamp('ns', 'utc'), types.timestamp, -1n, -1n],
  ['an instant whose offset is dropped', stamp('us', 'offset'), types.timestamp, at(5n, 60), 5n],
  ['an offset in a struct', stamp('us', 'offset'), held, at(5n, -60), { at: 5n, offset: -60 }],
  [
    'an interval in a struct',
    types.interval,
    months,
    { months: 1, days: -2, nanos: 3n },
    { months: 1, days: -2, nanos: 3n },
  ],
  ['a duration as an interval', types.duration, types.interval, 5n, { months: 0, days: 0, nanos: 5000n }],
  ['a duration as a number', types.duration, types.int64, 5n, 5n],
  [
    'a document that the target normalises',
    types.json,
    normalised,
    '{"b":1.50,"a":[1 , 2]}',
    '{"a": [1, 2], "b": 1.5}',
  ],
  ['a struct as a document', pair, normalised, { a: 1, b: 'x' }, '{"b": "x", "a": 1}'],
  [
    'a struct with other capitals',
    pair,
    types.struct([field('A', types.int64), field('B', types.string)]),
    { a: 1, b: null },
    { A: 1n, B: null },
  ],
  [
    'entries of a map in another order',
    map,
    map,
    [
      ['a', 1],
      ['b', 2],
    ],
    [
      ['b', 2],
      ['a', 1],
    ],
  ],
  ['a union', union, union, { tag: 'n', value: 1 }, { tag: 'n', value: 1 }],
  ['null of no type', types.nullType, types.string, null, null],
];

const OTHER: readonly (readonly [string, LogicalType, LogicalType | Field, Value, Value])[] = [
  ['null and an empty text', types.string, types.string, null, ''],
  ['a text and itself with a space', types.string, types.string, 'a', 'a '],
  ['the text null and null', types.string, types.string, 'null', null],
  ['zero and the smallest number', types.float64, types.float64, 0, 5e-324],
  ['floats that differ in the last bit', types.float64, types.float64, 0.1, 0.1 + 2 ** -56],
  ['integers that a float cannot tell apart', types.int64, types.int64, 2n ** 53n, 2n ** 53n + 1n],
  ['a decimal and its opposite', types.decimal(5, 2), types.decimal(5, 2), '1.00', '-1.00'],
  ['instants a microsecond apart', types.timestamp, types.timestamp, 1n, 2n],
  ['offsets', stamp('us', 'offset'), stamp('us', 'offset'), at(5n, 60), at(5n, 0)],
  [
    'a day and 24 hours',
    types.interval,
    types.interval,
    { months: 0, days: 1, nanos: 0n },
    { months: 0, days: 0, nanos: 86_400_000_000_000n },
  ],
  ['raw documents written otherwise', types.json, types.json, '{"a":1}', '{"a": 1}'],
  ['documents whose numbers differ', normalised, normalised, '[1]', '[1.0000000000000001]'],
  ['a list and its items as one', types.list(types.string), types.list(types.string), ['a', 'b'], ['ab']],
  ['a list with a null and one without', types.list(types.int32), types.list(types.int32), [null], []],
  ['bytes', types.bytes, types.bytes, Uint8Array.of(1), Uint8Array.of(1, 0)],
  ['infinities', types.date, types.date, new Special('infinity'), new Special('-infinity')],
];

describe('values of source and target', () => {
  it.each(EQUAL)('are equal: %s', (_, from, to, a, b) => {
    expect(same(from, to, a, b)).toBe(true);
  });

  it.each(OTHER)('differ: %s', (_, from, to, a, b) => {
    expect(same(from, to, a, b)).toBe(false);
  });

  it('are not compared where the types have nothing in common', () => {
    expect(valueForms(field('c', types.bytes), field('c', types.int32))).toBeUndefined();
    expect(valueForms(field('c', pair), field('c', types.list(types.int32)))).toBeUndefined();
  });
});

describe('a number’s form', () => {
  it('is that of its value', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(30), fc.nat(5), (unscaled, scale, zeros) => {
        const sign = unscaled < 0n ? '-' : '';
        const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
        const whole = digits.slice(0, digits.length - scale);
        const plain = `${sign}${'0'.repeat(zeros)}${whole}.${digits.slice(digits.length - scale)}${'0'.repeat(zeros)}`;
        expect(decimalForm(plain)).toBe(decimalForm(`${unscaled}e-${scale}`));
        expect(decimalForm(plain)).not.toBe(decimalForm(`${unscaled + 1n}e-${scale}`));
      }),
    );
  });

  it('is rounded as databases round', () => {
    expect(['1.005', '-1.005', '0.994', '2'].map((text) => decimalForm(roundedDecimal(text, 2)))).toEqual(
      ['1.01', '-1.01', '0.99', '2'].map(decimalForm),
    );
  });
});

describe('a document’s form', () => {
  it('is the same however the document is written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const form = documentForm(JSON.stringify(value));
        expect(documentForm(JSON.stringify(value, null, 3))).toBe(form);
        expect(documentForm(JSON.stringify([value]))).not.toBe(form);
      }),
    );
  });

  it('takes the last of members that are called alike', () => {
    expect(documentForm('{"a":1,"\\u0061":2}')).toBe(documentForm('{"a":2}'));
  });

  it.each(['', '{', '[1,]', '{"a"}', '1 2', 'nul', '[1 2]'])('is none where %j is no document', (text) => {
    expect(documentForm(text)).toBeUndefined();
  });
});
