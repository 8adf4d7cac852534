import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePatterns, isExact, matchesPattern } from './pattern.js';

/** Matching by trying every split, which is slow and obvious. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] !== '*')
    return name !== '' && name[0] === pattern[0] && matches(pattern.slice(1), name.slice(1));
  for (let i = 0; i <= name.length; i++) if (matches(pattern.slice(1), name.slice(i))) return true;
  return false;
}

const letter = fc.constantFrom('a', 'b', '.', '+', '\n', '[', '\\', '$');
test('a star is any run of characters, and everything else is itself', () => {
  const pattern = fc
    .array(fc.oneof(letter, fc.constant('*')), { maxLength: 6 })
    .map((parts) => parts.join(''));
  const name = fc.array(letter, { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pattern, name, (p, n) => {
      expect(matchesPattern(p, n)).toBe(matches(p, n));
    }),
    { numRuns: 2000 },
  );
});

test('patterns are in order from broadest to exact', () => {
  const patterns = ['public.orders', 'public.o*', '*', 'public.*', '*.orders', 'a'];
  expect(patterns.toSorted(comparePatterns)).toEqual([
    '*',
    'public.*',
    '*.orders',
    'public.o*',
    'a',
    'public.orders',
  ]);
  expect(patterns.filter(isExact)).toEqual(['public.orders', 'a']);
});
