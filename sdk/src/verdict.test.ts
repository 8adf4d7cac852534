import { expect, test } from 'vitest';
import { guaranteeOf, PROTOCOLS } from './modes.js';
import { type Verdict, worst } from './verdict.js';

const VERDICTS: readonly Verdict[] = ['exact', 'widening', 'lossy'];

test('the worse of two verdicts is the later in the order, whichever comes first', () => {
  for (const a of VERDICTS) {
    for (const b of VERDICTS) {
      expect(worst(a, b)).toBe(VERDICTS[Math.max(VERDICTS.indexOf(a), VERDICTS.indexOf(b))]);
    }
  }
});

test('a protocol gives what it can', () => {
  expect(PROTOCOLS.map(guaranteeOf)).toEqual([
    'exactly once',
    'exactly once',
    'effectively once',
    'at least once',
  ]);
});
