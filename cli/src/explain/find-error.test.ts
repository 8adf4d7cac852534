import { defineErrors, errorEntries } from '@sluice/sdk';
import { describe, expect, it, test } from 'vitest';
import { declaredErrors } from './declared-errors.js';
import { findError } from './find-error.js';

const sand = defineErrors('SAND', {
  wet: { number: 7, class: 'data', title: 'The sand is wet', help: 'Dry it.' },
  gone: { number: 10, class: 'transient', title: 'The sand is gone', help: 'Wait.' },
});
const entries = errorEntries(sand);

describe('a code', () => {
  it.each(['SLUICE-SAND-0007', 'sluice-sand-0007', 'sand-7', ' SAND-0007 '])('is found as %s', (asked) => {
    expect(findError(entries, asked)).toBe(sand.wet.entry);
  });

  it('that is none gets the nearest one', () => {
    expect(() => findError(entries, 'SLUICE-SNAD-0010')).toThrow(
      /SNAD-0010; did you mean SLUICE-SAND-0010\?/,
    );
  });

  it.each(['', 'gone', 'SAND', '7'])('is not guessed from %j', (asked) => {
    expect(() => findError(entries, asked)).toThrowError(
      expect.objectContaining({ code: 'SLUICE-CLI-0003' }),
    );
  });
});

test('codes are found in families, on connectors and on transforms by name, once each', () => {
  const connector = { name: 'sand', errors: sand };
  const module = {
    default: connector,
    sand,
    transforms: { dry: { name: 'dry', errors: sand } },
    other: 1,
    none: null,
  };
  expect(declaredErrors(module)).toEqual(entries);
  expect(declaredErrors({ default: connector })).toEqual(entries);
  expect(declaredErrors({ transforms: { dry: { errors: sand } } })).toEqual(entries);
});
