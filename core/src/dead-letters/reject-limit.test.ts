import { expect, it } from 'vitest';
import { RejectLimit, type StreamRows } from './reject-limit.js';

const tooMany = expect.objectContaining({ code: 'SLUICE-CORE-0112' });

function rows(read: number, rejected: number, stream = 's'): StreamRows[] {
  return [{ flow: 'main', stream, read, rejected }];
}

it('counts rows, and only those of epochs that were committed', () => {
  const limit = new RejectLimit({ max: { rows: 3 } }, () => 0);
  limit.check(rows(10, 3));
  limit.check(rows(10, 3));
  limit.count(rows(10, 3));
  limit.check(rows(1000, 0));
  expect(() => limit.check(rows(10, 1))).toThrow(tooMany);
});

it('none may be tolerated, which still says so before the epoch', () => {
  const limit = new RejectLimit({ max: { rows: 0 } }, () => 0);
  limit.check(rows(10, 0));
  expect(() => limit.check(rows(10, 1))).toThrow(tooMany);
});

it('a share is one of at least a thousand rows', () => {
  const limit = new RejectLimit({ max: { share: 0.01 } }, () => 0);
  limit.check(rows(20, 10));
  expect(() => limit.check(rows(20, 11))).toThrow(tooMany);
  limit.count(rows(5000, 10));
  limit.check(rows(1000, 50));
  expect(() => limit.check(rows(1000, 51))).toThrow(tooMany);
});

it('a window forgets what is older', () => {
  let now = 0;
  const limit = new RejectLimit({ max: { rows: 2 }, windowMs: 1000 }, () => now);
  limit.count(rows(10, 2));
  now = 999;
  expect(() => limit.check(rows(10, 1))).toThrow(tooMany);
  now = 1000;
  limit.check(rows(10, 2));
});

it('a window of many epochs counts each of them once, for as long as it lasts', () => {
  let now = 0;
  const limit = new RejectLimit({ max: { rows: 1000 }, windowMs: 10_000 }, () => now);
  for (; now < 50_000; now += 5) limit.count(rows(10, now % 25 === 0 ? 1 : 0));
  limit.check(rows(10, 595));
  expect(() => limit.check(rows(10, 605))).toThrow(tooMany);
});

it('too many belong to a stream that has them alone, and are forgotten with it', () => {
  const limit = new RejectLimit({ max: { rows: 5 } }, () => 0);
  limit.count([...rows(10, 2, 'a'), ...rows(10, 3, 'b')]);
  const ofB = expect.objectContaining({ details: { read: 40, rejected: 8, most: 5, stream: 'b' } });
  expect(() => limit.check([...rows(10, 0, 'a'), ...rows(10, 3, 'b')])).toThrow(ofB);
  limit.forget({ flow: 'main', stream: 'b' });
  limit.check(rows(10, 3, 'a'));
});

it('too many of several together belong to none', () => {
  const limit = new RejectLimit({ max: { rows: 5 } }, () => 0);
  const ofNone = expect.objectContaining({ details: { read: 20, rejected: 6, most: 5 } });
  expect(() => limit.check([...rows(10, 3, 'a'), ...rows(10, 3, 'b')])).toThrow(ofNone);
});
