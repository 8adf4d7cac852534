import { Batch, field, formatType, type Row, Special, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { applied, bindTransform, errorOf, guarded } from './testing.js';

const schema = streamSchema(
  'orders',
  [
    field('id', types.int64, { nullable: false }),
    field('price', types.decimal(12, 2)),
    field('count', types.int32),
    field('note', types.string),
  ],
  ['id'],
);
const row = { id: 1n, price: '2.50', count: 3, note: 'x' };
const batch = Batch.ofRows(schema, [row, { id: 2n, price: null, count: 1, note: null }]);

describe('compute', () => {
  it('adds columns and replaces columns in place; all see the row as it came', async () => {
    const bound = await bindTransform('compute', schema, {
      columns: { total: 'price * count', price: 'price + 1', old: 'price' },
    });
    expect(bound.out.fields.map((f) => `${f.name} ${formatType(f.type)}`)).toEqual([
      'id int64',
      'price decimal(13,2)',
      'count int32',
      'note string',
      'total decimal(22,2)',
      'old decimal(12,2)',
    ]);
    expect(applied(bound, batch).rows()).toEqual([
      { ...row, price: '3.50', total: '7.50', old: '2.50' },
      { id: 2n, price: null, count: 1, note: null, total: null, old: null },
    ]);
    expect(bound).toMatchObject({
      reads: ['price', 'count'],
      writes: ['total', 'price', 'old'],
      rung: 'columns',
    });
  });

  it('decodes only what it reads', async () => {
    const bound = await bindTransform('compute', schema, { columns: { next: 'count + 1' } });
    const made = applied(bound, guarded(batch, ['count']));
    expect(made.column(4).length).toBe(2);
    expect(() => made.column(3)).toThrow('column note was decoded');
  });

  it('says which columns can be null', async () => {
    const bound = await bindTransform('compute', schema, {
      columns: { a: 'id + 1', b: 'count + 1', c: 'coalesce(count, 0)' },
    });
    expect(bound.out.fields.slice(4).map((f) => f.nullable)).toEqual([false, true, false]);
  });

  it('keeps to a declared type, and refuses values that do not fit it', async () => {
    const option = { expression: 'price / count', type: 'decimal(12,2)' };
    const bound = await bindTransform('compute', schema, { columns: { each: option } });
    const error = await errorOf(() => bound.apply(batch));
    expect(error).toMatchObject({
      code: 'SLUICE-TRANSFORM-0008',
      class: 'data',
      details: { column: 'each', row: 0 },
    });
    const rounded = { expression: 'round(price / count, 2)', type: 'decimal(12,2)' };
    const made = applied(await bindTransform('compute', schema, { columns: { each: rounded } }), batch);
    expect(made.rows().map((r) => r['each'])).toEqual(['0.83', null]);
    expect(formatType(made.schema.fields[4]!.type)).toBe('decimal(12,2)');
  });

  it('refuses a declared type that cannot be reached', async () => {
    const columns = { x: { expression: 'price', type: 'date' } };
    expect((await errorOf(() => bindTransform('compute', schema, { columns }))).code).toBe(
      'SLUICE-TRANSFORM-0007',
    );
  });

  it('passes special values on and fails what is computed from them', async () => {
    const odd = Batch.ofRows(schema, [{ ...row, price: new Special('NaN') }]);
    const copied = applied(await bindTransform('compute', schema, { columns: { copy: 'price' } }), odd);
    expect(copied.rows()[0]!['copy']).toEqual(new Special('NaN'));
    const doubled = await bindTransform('compute', schema, { columns: { twice: 'price * 2' } });
    expect(await errorOf(() => doubled.apply(odd))).toMatchObject({
      code: 'SLUICE-EXPR-0004',
      details: { column: 'twice', row: 0 },
    });
  });
});

describe('compute over changes', () => {
  it('yields UNCHANGED where nothing that it reads was sent', async () => {
    const bound = await bindTransform('compute', schema, { columns: { shout: 'upper(note)' } });
    const change = Batch.ofRows(schema, [{ ...row, note: UNCHANGED }], { op: 'update' });
    expect(applied(bound, change).rows()[0]!['shout']).toBe(UNCHANGED);
  });

  it('needs the before-image to combine what was sent with what was not', async () => {
    const bound = await bindTransform('compute', schema, { columns: { total: 'price * count' } });
    const sent: Row = { ...row, price: UNCHANGED, count: 4 };
    const change = Batch.ofRows(schema, [sent], { op: 'update', before: Batch.ofRows(schema, [row]) });
    const made = applied(bound, change);
    expect(made.rows()[0]).toEqual({ ...sent, total: '10.00' });
    expect(made.before?.rows()[0]).toEqual({ ...row, total: '7.50' });
    const error = await errorOf(() => bound.apply(Batch.ofRows(schema, [sent], { op: 'update' })));
    expect(error.code).toBe('SLUICE-EXPR-0005');
  });

  it('computes keys of rows and of before-images alike', async () => {
    const bound = await bindTransform('compute', schema, { columns: { id: 'id + 1000' } });
    expect(bound.out.key).toEqual(['id']);
    const before = Batch.ofRows(schema, [{ id: 7n, price: UNCHANGED, count: UNCHANGED, note: UNCHANGED }]);
    const made = applied(bound, Batch.ofRows(schema, [row], { op: 'move', before }));
    expect([made.rows()[0]!['id'], made.before!.rows()[0]!['id']]).toEqual([1001n, 1007n]);
  });

  it('does not let a delete fail by values that nobody needs', async () => {
    const bound = await bindTransform('compute', schema, { columns: { ratio: 'price / count' } });
    const removed = Batch.ofRows(schema, [{ id: 1n, price: '1.00', count: 0, note: null }], { op: 'delete' });
    expect(applied(bound, removed).rows()[0]).toMatchObject({ id: 1n, ratio: UNCHANGED });
  });
});
