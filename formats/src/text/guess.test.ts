import { formatType } from '@sluice/sdk';
import { describe, expect, test } from 'vitest';
import { Guess, lookOf } from './guess.js';

function guessOf(...texts: (string | null)[]): Guess {
  const guess = new Guess();
  for (const [i, text] of texts.entries()) {
    if (text === null) guess.addNull();
    else guess.add(text, () => `line ${i + 2}`);
  }
  return guess;
}

describe('what a text looks like', () => {
  test.each([
    ['int64', '0', '-5', '9223372036854775807', '-9223372036854775808'],
    ['decimal', '0.5', '-12.30', '9223372036854775808', '123456789012345678901234567890'],
    ['float64', '1e5', '-2.5E-3'],
    ['bool', 'true', 'FALSE', 't', 'F'],
    ['date', '2024-02-29', '1600-01-01'],
    ['time', '13:45:00', '00:00:00.123456789'],
    ['timestamp', '2024-01-01T00:00:00Z', '2024-01-01 00:00:00+02', '2024-01-01 00:00:00.5-03:30'],
    ['timestamp without zone', '2024-01-01T00:00:00', '2024-01-01 00:00'],
    [
      'uuid',
      'f4db99f6-1024-4336-887f-5f3176a5a63d',
      '00000000-0000-0000-0000-000000000000',
      'A4DB99F6-1024-4336-887F-5F3176A5A63D',
    ],
    ['json', '{}', '[1, {"a": null}]'],
    [
      'string',
      '007',
      '+1',
      '1,5',
      '1_000',
      '.5',
      '5.',
      '1e',
      '0x10',
      '-',
      ' 1',
      '2023-02-29',
      '2024-13-01',
      '24-01-01',
      '1.2.3',
    ],
    [
      'string',
      '25:00:00',
      '12:00',
      '{a}',
      '[',
      '"x"',
      'null',
      'yes',
      'NaN',
      'Infinity',
      '--1',
      '-007',
      '00501',
      '1e9999',
    ],
    ['string', 'f4db99f6-1024-4336-887f-5f3176a5a63', '2024-01-01T00:00:00 Europe/Rome', ''],
  ])('%s', (look, ...texts) => {
    for (const text of texts) expect([text, lookOf(text)]).toEqual([text, look]);
  });
});

describe('what a column is', () => {
  test.each([
    ['int64', ['1', null, '-2']],
    ['decimal(18,2)', ['1.50', '3']],
    ['decimal(18,3)', ['1.5', '3.125']],
    ['decimal(38,2)', ['12345678901234567.25']],
    ['decimal(38,0)', ['9223372036854775808', '5']],
    ['decimal', ['1234567890123456789012345678901234567.25']],
    ['float64', ['1', '2.5', '1e3']],
    ['timestamp(us, none)', ['2024-01-01', '2024-01-01 10:00:00']],
    ['timestamp(ns, utc)', ['2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00Z']],
    ['time(ns)', ['10:00:00.1234567']],
    ['string', ['1', 'x']],
    ['string', ['007', '8']],
    ['string', ['2024-01-01', '5']],
    ['string', ['true', '1']],
    ['string', ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00']],
    ['string', ['{}', 'x']],
    ['string', [null, null]],
    ['string', []],
  ] as const)('%s', (type, texts) => {
    expect(formatType(guessOf(...texts).type(true))).toBe(type);
  });

  test('where not all was seen, decimals whose digits vary have room', () => {
    expect(formatType(guessOf('1.5', '2.25').type(false))).toBe('decimal(18,6)');
    expect(formatType(guessOf('1.50', '2.25').type(false))).toBe('decimal(18,2)');
    expect(formatType(guessOf('12345678901234.5', '2.25').type(false))).toBe('decimal(38,6)');
  });

  test('guesses of several files make one, and say what disagrees', () => {
    const first = guessOf('1', '2', null);
    first.merge(guessOf('2.5'));
    expect(formatType(first.type(true))).toBe('decimal(18,1)');
    expect(first.isConflict).toBe(false);
    first.merge(guessOf('A7'));
    expect(formatType(first.type(true))).toBe('string');
    expect(first.isConflict).toBe(true);
    expect(first.explain()).toContain('1 like string, first "A7" (line 2)');
    expect([first.values, first.nulls]).toEqual([4, 1]);
  });
});
