import { expect, it } from 'vitest';
import { RejectLimit } from './reject-limit.js';

const tooMany = expect.objectContaining({ code: 'SLUICE-CORE-0112' });

it('counts rows, and only those of epochs that were committed', () => {
  const limit = new RejectLimit({ max: { rows: 3 } }, () => 0);
  limit.check(10, 3);
  limit.check(10, 3);
  limit.count(10, 3);
  limit.check(1000, 0);
  expect(() => limit.check(10, 1)).toThrow(tooMany);
});

it('none may be tolerated, which still says so before the epoch', () => {
  const limit = new RejectLimit({ max: { rows: 0 } }, () => 0);
  limit.check(10, 0);
  expect(() => limit.check(10, 1)).toThrow(tooMany);
});

it('a share is one of at least a thousand rows', () => {
  const limit = new RejectLimit({ max: { share: 0.01 } }, () => 0);
  limit.check(20, 10);
  expect(() => limit.check(20, 11)).toThrow(tooMany);
  limit.count(5000, 10);
  limit.check(1000, 50);
  expect(() => limit.check(1000, 51)).toThrow(tooMany);
});

it('a window forgets what is older', () => {
  let now = 0;
  const limit = new RejectLimit({ max: { rows: 2 }, windowMs: 1000 }, () => now);
  limit.count(10, 2);
  now = 999;
  expect(() => limit.check(10, 1)).toThrow(tooMany);
  now = 1000;
  limit.check(10, 2);
});
