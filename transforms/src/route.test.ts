import { Batch, field, streamSchema, types } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { transforms } from './index.js';
import { bindTransform, errorOf, guarded } from './testing.js';

const schema = streamSchema(
  'public.orders',
  [
    field('id', types.int64, { nullable: false }),
    field('country', types.string),
    field('total', types.int32),
  ],
  ['id'],
);
const byCountry = {
  by: [
    { where: 'country == "DE"', to: '{name}_de' },
    { where: 'total / (total - 5) > 0', to: 'big' },
    { where: 'country == "AT"', to: '{name}_de' },
  ],
  else: '{schema}.rest',
};
const rows = [
  { id: 1n, country: 'DE', total: 5 },
  { id: 2n, country: 'FR', total: 9 },
  { id: 3n, country: null, total: 1 },
  { id: 4n, country: 'AT', total: 1 },
];

describe('new rows', () => {
  it('go where the first condition that is true sends them, or the rest', async () => {
    const bound = await bindTransform('route', schema, byCountry);
    expect(bound).toMatchObject({
      out: schema,
      routes: ['public.orders_de', 'big', 'public.rest'],
      needs: { after: ['country', 'total'], before: ['country', 'total'] },
    });
    const made = bound.apply(Batch.ofRows(schema, rows));
    expect(made.map((batch) => [batch.stream, batch.op, batch.rows().map(({ id }) => id)])).toEqual([
      ['public.orders → public.orders_de', 'insert', [1n, 4n]],
      ['public.orders → big', 'insert', [2n]],
      ['public.orders → public.rest', 'insert', [3n]],
    ]);
  });

  it('are left out where nothing else is said, and make no empty batches', async () => {
    const bound = await bindTransform('route', schema, { by: [{ where: 'id > 3', to: 'late' }], else: null });
    expect(bound.routes).toEqual(['late']);
    const [made, ...none] = bound.apply(Batch.ofRows(schema, rows));
    expect([made!.rowCount, none]).toEqual([1, []]);
    expect(bound.apply(Batch.ofRows(schema, rows.slice(0, 2)))).toEqual([]);
  });

  it('that no condition decides are refused, with their place', async () => {
    const bound = await bindTransform('route', schema, byCountry);
    const batch = Batch.ofRows(schema, [rows[0]!, { id: 5n, country: 'FR', total: 5 }]);
    expect(await errorOf(() => bound.apply(batch))).toMatchObject({
      code: 'SLUICE-EXPR-0004',
      details: { stream: 'public.orders', row: 1 },
    });
  });

  it('may only be called otherwise, and are not looked at for that', async () => {
    const bound = await bindTransform('route', schema, { to: 'sales.{stream}' });
    expect(bound.routes).toEqual(['sales.orders']);
    const [made] = bound.apply(guarded(Batch.ofRows(schema, rows), []));
    expect([made!.stream, made!.rowCount]).toEqual(['public.orders → sales.orders', 4]);
  });
});

it.each([
  ['neither to nor by', {}],
  ['to and by', { to: 'a', by: [{ where: 'id > 1', to: 'b' }], else: null }],
  ['by without else', { by: [{ where: 'id > 1', to: 'b' }] }],
  ['to with else', { to: 'a', else: 'b' }],
  ['a template that is none', { to: '{table}' }],
  ['no conditions', { by: [], else: 'b' }],
])('the options cannot be %s', (_, options) => {
  expect(transforms['route']!.options.safeParse(options).success).toBe(false);
});
