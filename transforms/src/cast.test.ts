import {
  Batch,
  field,
  parseType,
  type Row,
  Special,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applied, bindTransform, errorOf } from './testing.js';

async function cast(from: string, to: string, ...values: Value[]): Promise<Value[]> {
  const schema = streamSchema('s', [field('v', parseType(from))]);
  const bound = await bindTransform('cast', schema, { columns: { v: to } });
  const made = applied(
    bound,
    Batch.ofRows(
      schema,
      values.map((v): Row => ({ v })),
    ),
  );
  return made.rows().map((row) => row['v']!);
}

async function refused(from: string, to: string, value: Value): Promise<string> {
  const error = await errorOf(() => cast(from, to, value));
  expect(error).toMatchObject({
    code: 'SLUICE-TRANSFORM-0008',
    class: 'data',
    details: { stream: 's', column: 'v', row: 0 },
  });
  return error.message;
}

describe('cast keeps every value', () => {
  it.each<[string, string, Value, Value]>([
    ['int64', 'string', -12n, '-12'],
    ['int64', 'int16', 7n, 7],
    ['uint64', 'int64', 7n, 7n],
    ['int32', 'decimal(10,2)', 7, '7.00'],
    ['decimal(12,2)', 'decimal(38,4)', '-0.50', '-0.5000'],
    ['decimal(12,2)', 'decimal(5,1)', '1.50', '1.5'],
    ['decimal(12,2)', 'int32', '7.00', 7],
    ['decimal', 'float64', '0.1', 0.1],
    ['float64', 'decimal(10,2)', 0.1, '0.10'],
    ['float32', 'decimal', Math.fround(0.1), '0.1'],
    ['float64', 'int64', 1e15, 1_000_000_000_000_000n],
    ['bool', 'int8', true, 1],
    ['int32', 'bool', 0, false],
    ['string', 'int64', ' +42 ', 42n],
    ['string', 'decimal(10,2)', '1e1', '10.00'],
    ['string', 'bool', 'T', true],
    ['string', 'date', '2024-02-29', 19_782],
    ['string', 'timestamp', '2024-02-29T14:45:00+01:00', 1_709_214_300_000_000n],
    [
      'string',
      'timestamp(us, offset)',
      '2024-02-29T14:45:00+01:00',
      { at: 1_709_214_300_000_000n, offset: 60 },
    ],
    ['string', 'uuid', '{01234567-89AB-CDEF-0123-456789ABCDEF}', '01234567-89ab-cdef-0123-456789abcdef'],
    ['string', 'json', '{"a": 1}', '{"a": 1}'],
    ['string', 'enum("a", "b")', 'b', 'b'],
    ['string', 'bytes', 'ü', new Uint8Array(Buffer.from('ü'))],
    ['bytes', 'string', new Uint8Array(Buffer.from('ü')), 'ü'],
    [
      'uuid',
      'bytes',
      '01234567-89ab-cdef-0123-456789abcdef',
      new Uint8Array(Buffer.from('0123456789abcdef0123456789abcdef', 'hex')),
    ],
    ['enum("a")', 'string', 'a', 'a'],
    ['json', 'string', '{"a":  1}', '{"a":  1}'],
    ['date', 'timestamp(none)', 1, 86_400_000_000n],
    ['timestamp', 'date', 86_400_000_000n, 1],
    ['timestamp', 'timestamp(ns, utc)', 5n, 5000n],
    ['timestamp(us, offset)', 'timestamp', { at: 5n, offset: 60 }, 5n],
    ['timestamp(us, offset)', 'string', { at: 0n, offset: -90 }, '1969-12-31T22:30:00-01:30'],
    ['duration', 'string', 1_500_000n, '1.5s'],
    ['interval', 'string', { months: 1, days: -2, nanos: 500_000_000n }, 'P1M-2DT0.5S'],
    ['list<int32>', 'list<string>', [1, null], ['1', null]],
    ['list<int64>', 'json', [1n, 2n ** 60n], '[1,1152921504606846976]'],
    ['struct<a: decimal(4,2), "b c": string>', 'json', { a: '1.50', 'b c': '"' }, '{"a":1.50,"b c":"\\""}'],
    ['map<string, date>', 'json', [['k', 0]], '{"k":"1970-01-01"}'],
    ['float64', 'json', Number.NaN, '"NaN"'],
  ])('%s to %s', async (from, to, value, expected) => {
    expect(await cast(from, to, value, null)).toEqual([expected, null]);
  });

  it.each<[string, string, Value]>([
    ['int64', 'int32', 2n ** 31n],
    ['int32', 'uint8', -1],
    ['decimal(12,2)', 'decimal(12,1)', '0.55'],
    ['decimal(12,2)', 'decimal(4,2)', '100.00'],
    ['decimal(12,2)', 'int32', '0.50'],
    ['float64', 'int32', 0.5],
    ['float64', 'decimal', Number.NaN],
    ['float64', 'float32', 1e300],
    ['int32', 'bool', 2],
    ['string', 'int32', '1.0'],
    ['string', 'int32', ''],
    ['string', 'bool', 'constructor'],
    ['string', 'date', '2023-02-29'],
    ['string', 'timestamp', '2024-02-29T14:45:00'],
    ['string', 'uuid', 'x'],
    ['string', 'json', '{'],
    ['string', 'enum("a")', 'b'],
    ['bytes', 'string', Uint8Array.of(0xff)],
    ['bytes', 'uuid', new Uint8Array(15)],
    ['timestamp', 'date', 1n],
    ['timestamp(ns, utc)', 'timestamp', 1n],
    ['timestamp', 'timestamp(ns, utc)', 2n ** 62n],
    ['list<int32>', 'list<int8>', [1000]],
    ['list<int32>', 'list<int32 not null>', [null]],
  ])('%s to %s is refused where it would not', async (from, to, value) => {
    expect(await refused(from, to, value)).toContain('s, column v, row 0');
  });

  it('there and back, for any integer and decimal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), async (values) => {
        for (const between of ['string', 'decimal(19,0)', 'decimal', 'json']) {
          const there = await cast('int64', between, ...values);
          const text = between === 'json' ? await cast('json', 'string', ...there) : there;
          expect(await cast(between === 'json' ? 'string' : between, 'int64', ...text)).toEqual(values);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('cast of values outside their type', () => {
  it('keeps them within a kind of type, as text, and where a float has them', async () => {
    const nan = new Special('NaN');
    expect(await cast('decimal(12,2)', 'decimal(38,4)', nan, '1.00')).toEqual([nan, '1.0000']);
    expect(await cast('decimal', 'string', nan)).toEqual(['NaN']);
    expect(await cast('decimal', 'float64', nan, new Special('-Infinity'))).toEqual([Number.NaN, -Infinity]);
    await refused('decimal', 'int64', nan);
    await refused('timestamp', 'date', new Special('infinity'));
  });
});

describe('cast and changes', () => {
  const schema = streamSchema(
    's',
    [field('id', types.int64, { nullable: false }), field('v', types.string)],
    ['id'],
  );

  it('keeps UNCHANGED, converts before-images, and lets deletes pass', async () => {
    const bound = await bindTransform('cast', schema, { columns: { v: 'int32', id: 'string' } });
    const before = Batch.ofRows(schema, [{ id: 9n, v: UNCHANGED }]);
    const made = applied(bound, Batch.ofRows(schema, [{ id: 1n, v: UNCHANGED }], { op: 'move', before }));
    expect(made.rows()).toEqual([{ id: '1', v: UNCHANGED }]);
    expect(made.before!.rows()).toEqual([{ id: '9', v: UNCHANGED }]);
    const removed = Batch.ofRows(schema, [{ id: 1n, v: 'no number' }], { op: 'delete' });
    expect(applied(bound, removed).rows()).toEqual([{ id: '1', v: UNCHANGED }]);
  });

  it('refuses types without a conversion when the job is planned', async () => {
    const error = await errorOf(() => bindTransform('cast', schema, { columns: { id: 'date' } }));
    expect(error).toMatchObject({ code: 'SLUICE-TRANSFORM-0007', class: 'config' });
    expect(
      (await errorOf(() => bindTransform('cast', schema, { columns: { id: 'nit64' } }))).message,
    ).toContain('int64');
  });
});
