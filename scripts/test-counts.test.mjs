import { describe, expect, it } from 'vitest';
import { absentSpecification, verdict } from './test-counts.mjs';

const noServer = { name: 'a > copies', reason: 'no PostgreSQL here' };
const noSpecification = { name: 'b > matches', reason: `${absentSpecification}: slack` };

describe('the verdict on a test run', () => {
  it('counts skips as skips when nothing is required', () => {
    const counts = { passed: 3, failed: 0, skipped: [noServer, noSpecification] };
    expect(verdict(counts, false)).toEqual({ line: '3 passed, 0 failed, 2 skipped', ok: true, refused: [] });
  });

  it('turns skips into failures when everything is required, but for absent specifications', () => {
    const counts = { passed: 3, failed: 0, skipped: [noServer, noSpecification] };
    expect(verdict(counts, true)).toEqual({
      line: '3 passed, 1 failed, 1 skipped',
      ok: false,
      refused: [noServer],
    });
  });

  it('refuses a skip without a reason when everything is required', () => {
    const counts = { passed: 1, failed: 0, skipped: [{ name: 'c', reason: undefined }] };
    expect(verdict(counts, true).ok).toBe(false);
  });

  it('is not ok with one failure', () => {
    expect(verdict({ passed: 9, failed: 1, skipped: [] }, false)).toMatchObject({
      line: '9 passed, 1 failed, 0 skipped',
      ok: false,
    });
  });
});
