import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

it('lets the first take go, and makes the next wait until it is paid for', () => {
  let now = 5000;
  const bucket = new TokenBucket(10, () => now);
  expect(bucket.take(20)).toBe(1000);
  now += 1000;
  expect(bucket.take(20)).toBe(2000);
  now += 2000;
  expect(bucket.take(0)).toBe(0);
});

it('makes up for a short lull and saves nothing up over a long one', () => {
  let now = 0;
  const bucket = new TokenBucket(10, () => now);
  bucket.take(10);
  now = 60_000;
  expect(bucket.take(10)).toBe(0);
  expect(bucket.take(10)).toBe(1000);
});

it('never lets more through than the rate, a second to make up for, and what each taker takes at once', () => {
  const steps = fc.array(fc.record({ amount: fc.nat(50), late: fc.nat(3000) }), { minLength: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), steps, (rate, takes) => {
      let now = 0;
      let taken = 0;
      const bucket = new TokenBucket(rate, () => now);
      const passed: { at: number; before: number; amount: number }[] = [];
      for (const { amount, late } of takes) {
        passed.push({ at: now, before: taken, amount });
        taken += amount;
        now += bucket.take(amount) + late;
      }
      for (const first of passed) {
        for (const last of passed) {
          if (last.at < first.at) continue;
          const between = last.before - first.before;
          expect(between).toBeLessThanOrEqual((rate * (last.at - first.at + 1000)) / 1000 + 1e-6);
        }
      }
    }),
  );
});
