import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderName, templateProblem } from './name-template.js';

describe('a template for names', () => {
  it.each([
    ['bronze.{schema}_{stream}', 'public.orders', 'bronze.public_orders'],
    ['{name}_copy', 'public.orders', 'public.orders_copy'],
    ['{schema}.{stream}', 'orders', 'orders'],
    ['all', 'public.orders', 'all'],
    ['{stream:lower}', 'SHOP.ORDERS', 'orders'],
    ['{schema:upper}.{stream}', 'shop.Orders', 'SHOP.Orders'],
    ['{stream:16}', 'public.sixteen_bytes_ok', 'sixteen_bytes_ok'],
    ['{stream:16}', 'public.seventeen_bytes__', 'sevente_52d8b111'],
    ['{stream:lower:16}', 'public.SEVENTEEN_BYTES__', 'sevente_52d8b111'],
    ['{stream:16}', 'ÄÄÄÄÄÄÄÄÄ', 'ÄÄÄ_c09c989c'],
  ])('%s of %s is %s', (template, stream, expected) => {
    expect(templateProblem(template)).toBeUndefined();
    expect(renderName(template, stream)).toBe(expected);
  });

  it('shortens to what is asked for at most, the same way each time, and to different names', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 17, maxLength: 90 })
      .filter((text) => !text.includes('.'));
    fc.assert(
      fc.property(name, name, fc.integer({ min: 16, max: 63 }), (a, b, bytes) => {
        const [one, other] = [a, b].map((text) => renderName(`{stream:${bytes}}`, text));
        expect(Buffer.byteLength(one!)).toBeLessThanOrEqual(bytes);
        expect(one === other).toBe(a === b);
      }),
    );
  });

  it.each([
    ['{steam}', '{steam} stands for nothing; did you mean {stream}?'],
    ['{xyzzy}', '{xyzzy} stands for nothing; there are {stream}, {schema} and {name}'],
    ['{stream', 'a { or } in it has no partner'],
    ['{stream:8}', '{stream:8}: "8" is neither lower nor upper, nor a number of bytes, 16 at least'],
    [
      '{stream:snake}',
      '{stream:snake}: "snake" is neither lower nor upper, nor a number of bytes, 16 at least',
    ],
  ])('%s is refused', (template, problem) => {
    expect(templateProblem(template)).toBe(problem);
  });
});
