import { createHash } from 'node:crypto';
import { Batch, field, type Row, Special, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applied, bindTransform, errorOf } from './testing.js';

const schema = streamSchema(
  's',
  [
    field('a', types.string),
    field('b', types.int64),
    field('at', types.timestamp),
    field('raw', types.bytes),
  ],
  ['a'],
);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

it('is the digest of texts with their lengths, as SQL computes it', async () => {
  const bound = await bindTransform('hash', schema, { columns: ['a', 'b', 'at'], into: 'row_key' });
  const rows = [
    { a: 'ü', b: 12n, at: 0n, raw: null },
    { a: null, b: null, at: null, raw: null },
    { a: '', b: -1n, at: new Special('infinity'), raw: null },
  ];
  const made = applied(bound, Batch.ofRows(schema, rows));
  expect(made.rows().map((row) => row['row_key'])).toEqual([
    sha256('2:ü2:1220:1970-01-01T00:00:00Z'),
    sha256('---'),
    sha256('0:2:-18:infinity'),
  ]);
  expect(bound).toMatchObject({ reads: ['a', 'b', 'at'], writes: ['row_key'], out: { key: ['a'] } });
});

it('tells every two different rows apart', async () => {
  const two = streamSchema('s', [field('a', types.string), field('b', types.string)]);
  const bound = await bindTransform('hash', two, { columns: ['a', 'b'], into: 'k', key: true });
  expect(bound.out.key).toEqual(['k']);
  const text = fc.option(fc.stringMatching(/^[-:0-9a]{0,4}$/));
  fc.assert(
    fc.property(fc.tuple(text, text), fc.tuple(text, text), ([a, b], [c, d]) => {
      const [one, other] = applied(
        bound,
        Batch.ofRows(two, [
          { a, b },
          { a: c, b: d },
        ]),
      ).rows();
      expect(one!['k'] === other!['k']).toBe(a === c && b === d);
    }),
  );
});

it('takes what was not sent from the row before, is UNCHANGED when nothing was, and else refuses', async () => {
  const bound = await bindTransform('hash', schema, { columns: ['a', 'b'], into: 'k' });
  const row: Row = { a: 'x', b: UNCHANGED, at: null, raw: null };
  const before = Batch.ofRows(schema, [{ a: 'x', b: 7n, at: null, raw: null }]);
  const filled = applied(bound, Batch.ofRows(schema, [row], { op: 'update', before }));
  expect(filled.rows()[0]!['k']).toBe(sha256('1:x1:7'));
  const none: Row = { ...row, a: UNCHANGED };
  const unchanged = applied(bound, Batch.ofRows(schema, [none], { op: 'update' }));
  expect(unchanged.rows()[0]!['k']).toBe(UNCHANGED);
  const gone = applied(bound, Batch.ofRows(schema, [row], { op: 'delete' }));
  expect(gone.rows()[0]!['k']).toBe(UNCHANGED);
  const refused = await errorOf(() => applied(bound, Batch.ofRows(schema, [row], { op: 'update' })).rows());
  expect(refused.class).toBe('data');
});

it('refuses columns without one text, and a name that is taken', async () => {
  const bytes = await errorOf(() => bindTransform('hash', schema, { columns: ['raw'], into: 'k' }));
  expect(bytes.code).toBe('SLUICE-TRANSFORM-0006');
  const taken = await errorOf(() => bindTransform('hash', schema, { columns: ['a'], into: 'b' }));
  expect(taken.code).toBe('SLUICE-TRANSFORM-0002');
});
