import { Batch, field, streamSchema, types } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inStyle, NAME_STYLES } from './name-style.js';
import { applied, bindTransform, errorOf, guarded } from './testing.js';

it.each([
  ['orderID', 'order_id', 'orderId', 'OrderId', 'order-id'],
  ['HTTPStatus2xx', 'http_status2_xx', 'httpStatus2Xx', 'HttpStatus2Xx', 'http-status2-xx'],
  ['First Name', 'first_name', 'firstName', 'FirstName', 'first-name'],
  ['already_snake_1', 'already_snake_1', 'alreadySnake1', 'AlreadySnake1', 'already-snake-1'],
  ['Größe', 'größe', 'größe', 'Größe', 'größe'],
  ['名前', '名前', '名前', '名前', '名前'],
  ['__', '__', '__', '__', '__'],
])('%s', (name, snake, camel, pascal, kebab) => {
  expect(NAME_STYLES.slice(0, 4).map((style) => inStyle(name, style))).toEqual([snake, camel, pascal, kebab]);
});

it('a name in a style stays as it is in that style', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_ ]{0,12}$/),
      fc.constantFrom('snake', 'kebab'),
      (name, style) => {
        const once = inStyle(name, style as 'snake');
        expect(inStyle(once, style as 'snake')).toBe(once);
      },
    ),
  );
});

describe('rename', () => {
  const schema = streamSchema(
    's',
    [
      field('orderID', types.int64, { nullable: false }),
      field('First Name', types.string),
      field('keep', types.string),
    ],
    ['orderID'],
  );

  it('writes all names in a style, with what stands around them, but those that are given', async () => {
    const options = { columns: { keep: 'AsItIs' }, case: 'snake', prefix: 'src_', suffix: '_v1' };
    const bound = await bindTransform('rename', schema, options);
    const names = bound.out.fields.map(({ name }) => name);
    expect(names).toEqual(['src_order_id_v1', 'src_first_name_v1', 'AsItIs']);
    expect(bound.out.key).toEqual(['src_order_id_v1']);
    const made = applied(bound, guarded(Batch.ofRows(schema, [{ orderID: 1n }]), []));
    expect(made.schema).toBe(bound.out);
  });

  it('names both columns that would be one', async () => {
    const twins = streamSchema('s', [field('orderID', types.int64), field('order_id', types.int64)]);
    const error = await errorOf(() => bindTransform('rename', twins, { case: 'snake' }));
    expect(error).toMatchObject({ code: 'SLUICE-TRANSFORM-0002', class: 'config' });
    expect(error.message).toBe('rename: orderID and order_id of s would both be called "order_id"');
  });
});
