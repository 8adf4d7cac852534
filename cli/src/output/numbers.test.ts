import { expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatShort, plural } from './numbers.js';

it('prints counts, sizes and times as people read them', () => {
  expect(formatCount(1204000)).toBe('1,204,000');
  expect([0, 999, 1000, 1249, 99_949, 99_951, 999_499, 999_500, 1.25e9, 5e12].map(formatShort)).toEqual([
    '0',
    '999',
    '1.0k',
    '1.2k',
    '99.9k',
    '100k',
    '999k',
    '1.0M',
    '1.3G',
    '5T',
  ]);
  expect([0, 999, 1000, 13_493_022, 2.5e15].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '13.5 MB',
    '3 PB',
  ]);
  expect([0, 840, 12_400, 59_949, 59_951, 200_000, 3_599_600, 7_500_000].map(formatDuration)).toEqual([
    '0 ms',
    '840 ms',
    '12.4 s',
    '59.9 s',
    '1 min 0 s',
    '3 min 20 s',
    '1 h 0 min',
    '2 h 5 min',
  ]);
  expect([0, 1, 2000].map((n) => plural(n, 'row'))).toEqual(['0 rows', '1 row', '2,000 rows']);
});
