import { describe, expect, it } from 'vitest';
import {
  defineErrors,
  errorEntries,
  isSluiceError,
  SluiceError,
  sdkErrors,
  toSluiceError,
} from './errors.js';

const errors = defineErrors('TEST', {
  busy: { number: 7, class: 'throttled', title: 'Too much', help: 'Wait.' },
  odd: { number: 12, class: 'data', title: 'An odd value', help: 'Look at it.' },
});

describe('a family of errors', () => {
  it('makes errors that carry code, class, help, facts and cause', () => {
    const cause = new Error('socket closed');
    const error = errors.busy('the API said 429', { cause, details: { stream: 'a' }, retryAfterMs: 500 });
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).toMatchObject({
      name: 'SluiceError',
      message: 'the API said 429',
      code: 'SLUICE-TEST-0007',
      class: 'throttled',
      help: 'Wait.',
      details: { stream: 'a' },
      retryAfterMs: 500,
      cause,
    });
    expect(errors.odd('x', { help: 'Do this.' }).help).toBe('Do this.');
    expect('cause' in errors.odd('x')).toBe(false);
  });

  it('has an entry for each code, for the index', () => {
    expect(errorEntries(errors)).toEqual([
      { code: 'SLUICE-TEST-0007', name: 'busy', class: 'throttled', title: 'Too much', help: 'Wait.' },
      { code: 'SLUICE-TEST-0012', name: 'odd', class: 'data', title: 'An odd value', help: 'Look at it.' },
    ]);
  });

  it('does not use a number twice', () => {
    const entry = { number: 1, class: 'data', title: 't', help: 'h' } as const;
    expect(() => defineErrors('TWICE', { a: entry, b: entry })).toThrow(/1 of TWICE is used twice/);
  });
});

describe('an error', () => {
  it('is known as coded also when another copy of the package made it', () => {
    const foreign = Object.assign(new Error('x'), {
      name: 'SluiceError',
      code: 'SLUICE-X-0001',
      class: 'data',
    });
    expect(isSluiceError(foreign)).toBe(true);
    expect(toSluiceError(foreign)).toBe(foreign);
    expect([new Error('x'), { code: 'a', class: 'b' }, undefined, 'x'].map(isSluiceError)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('that was not foreseen becomes an internal one around it', () => {
    const cause = new TypeError('x is undefined');
    expect(toSluiceError(cause)).toMatchObject({
      code: sdkErrors.unexpected.entry.code,
      class: 'internal',
      message: 'x is undefined',
      cause,
    });
    expect(toSluiceError('text')).toMatchObject({ message: 'text', class: 'internal' });
  });
});
