import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ident, literal, parseStreamName, streamName } from './quote.js';

const name = fc.string({
  minLength: 1,
  unit: fc.constantFrom('a', 'B', '.', '"', ' ', "'", 'ü', '🚀', '*', '_'),
});

it('stream names are read back as they were written', () => {
  fc.assert(
    fc.property(name, name, (schema, table) => {
      expect(parseStreamName(streamName({ schema, table }))).toEqual({ schema, table });
    }),
  );
});

it('writes names plainly unless they hold a dot or a quote', () => {
  expect(streamName({ schema: 'public', table: 'Orders of ü' })).toBe('public.Orders of ü');
  expect(streamName({ schema: 'my.schema', table: 'odd"name' })).toBe('"my.schema"."odd""name"');
});

it('puts tables without a schema into the default one', () => {
  expect(parseStreamName('orders', 'bronze')).toEqual({ schema: 'bronze', table: 'orders' });
});

it.for(['', 'a', 'a.b.c', 'a.', '.a', '"a.b', 'a"b.c', '"".a', 'a."b"c'])('refuses %s', (text) => {
  expect(() => parseStreamName(text)).toThrow(expect.objectContaining({ code: 'SLUICE-PG-0022' }));
});

it('quotes whatever a name or a text holds', () => {
  expect(ident('a"b')).toBe('"a""b"');
  expect(literal("it's \\")).toBe("'it''s \\'");
});
