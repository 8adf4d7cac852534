import { Batch, field, type Row, Special, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { applied, bindTransform, errorOf, guarded } from './testing.js';

const schema = streamSchema(
  's',
  [
    field('id', types.int64, { nullable: false }),
    field('total', types.decimal(8, 2)),
    field('day', types.date),
    field('note', types.string),
    field('open', types.bool),
  ],
  ['id'],
);
const columns = { total: '0.5', day: '2024-02-29', note: 'none', open: true };

it('fills nulls, and nothing else', async () => {
  const bound = await bindTransform('default', schema, { columns });
  const rows: Row[] = [
    { id: 1n, total: null, day: null, note: null, open: null },
    { id: 2n, total: new Special('NaN'), day: 0, note: '', open: false },
    { id: 3n, total: UNCHANGED, day: UNCHANGED, note: UNCHANGED, open: null },
  ];
  expect(applied(bound, Batch.ofRows(schema, rows, { op: 'update' })).rows()).toEqual([
    { id: 1n, total: '0.50', day: 19_782, note: 'none', open: true },
    rows[1],
    { id: 3n, total: UNCHANGED, day: UNCHANGED, note: UNCHANGED, open: true },
  ]);
});

it('fills the key of deleted rows, by which they are found, and nothing else of them', async () => {
  const keyed = streamSchema('s', [field('region', types.string), field('note', types.string)], ['region']);
  const filling = await bindTransform('default', keyed, { columns: { region: 'EU', note: 'none' } });
  const gone = applied(filling, Batch.ofRows(keyed, [{ region: null, note: null }], { op: 'delete' }));
  expect(gone.rows()).toEqual([{ region: 'EU', note: null }]);
});

it('leaves deleted rows as they are', async () => {
  const bound = await bindTransform('default', schema, { columns });
  const gone = { id: 1n, total: null, day: null, note: null, open: null };
  expect(applied(bound, Batch.ofRows(schema, [gone], { op: 'delete' })).rows()).toEqual([gone]);
});

it('touches only its columns, and a column without nulls stays the same', async () => {
  const bound = await bindTransform('default', schema, { columns: { note: 'none' } });
  const full = Batch.ofRows(schema, [{ id: 1n, total: '1.00', day: 1, note: 'a', open: true }]);
  const made = applied(bound, guarded(full, ['note']));
  expect(made.column(3)).toBe(full.column(3));
  expect(bound).toMatchObject({ reads: ['note'], writes: ['note'], out: { key: ['id'] } });
});

it('refuses values that are not of the type, and columns that are not there', async () => {
  const wrong = await errorOf(() => bindTransform('default', schema, { columns: { day: 'soon' } }));
  expect(wrong).toMatchObject({ code: 'SLUICE-TRANSFORM-0007', class: 'config' });
  expect(wrong.message).toContain('"soon" is no date');
  const unknown = await errorOf(() => bindTransform('default', schema, { columns: { ntoe: '' } }));
  expect(unknown.message).toContain('did you mean "note"?');
});
