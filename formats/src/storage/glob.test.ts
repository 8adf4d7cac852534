import { expect, test } from 'vitest';
import { globFolder, globMatcher, isGlob } from './glob.js';

test.each([
  ['*.csv', 'a.csv', true],
  ['*.csv', 'a/b.csv', false],
  ['*.csv', '.a.csv', false],
  ['.*.csv', '.a.csv', true],
  ['data/flights-*.parquet', 'data/flights-1.parquet', true],
  ['**/*.csv', 'a.csv', true],
  ['**/*.csv', 'x/y/a.csv', true],
  ['**/*.csv', 'x/.y/a.csv', false],
  ['x/**', 'x/y/a.csv', true],
  ['x/**', 'y/a.csv', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[ab]x', 'bx', true],
  ['[!ab]x', 'bx', false],
  ['[!ab]x', 'cx', true],
  ['{a,b*}.csv', 'b1.csv', true],
  ['{a,b*}.csv', 'c.csv', false],
  ['a.b', 'axb', false],
  ['a(1)+.csv', 'a(1)+.csv', true],
  ['a,b.csv', 'a,b.csv', true],
])('%s and %s: %s', (pattern, path, expected) => {
  expect(globMatcher(pattern)(path)).toBe(expected);
});

test('the folder to list is what stands before the first wildcard', () => {
  expect(globFolder('data/2024/*.csv')).toBe('data/2024');
  expect(globFolder('*.csv')).toBe('.');
  expect(globFolder('data/**/x/*.csv')).toBe('data');
  expect(globFolder('/abs/*.csv')).toBe('/abs');
  expect(globFolder('/*.csv')).toBe('/');
  expect(isGlob('plain/a.csv')).toBe(false);
});
