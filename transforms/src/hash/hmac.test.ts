import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOfStrings } from '../kernels/text-build.js';
import { Hmac } from './hmac.js';
import { HmacLanes } from './hmac-lanes.js';
import { hmacText } from './hmac-text.js';
import { compress, INITIAL_STATE } from './sha256.js';

const hexOf = (words: Int32Array) =>
  Array.from(words, (w) => (w >>> 0).toString(16).padStart(8, '0')).join('');

test('the initial state is the one of FIPS 180-4', () => {
  expect(hexOf(INITIAL_STATE)).toBe('6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19');
});

test('one block of an empty message hashes as node:crypto does', () => {
  const state = INITIAL_STATE.slice();
  compress(state, Int32Array.of(0x80000000, ...new Array(15).fill(0)));
  expect(hexOf(state)).toBe(createHash('sha256').digest('hex'));
});

test('equals node:crypto for any key and message, whatever was hashed before', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 150 }),
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      fc.nat(7),
      (key, messages, shift) => {
        const hmac = new Hmac(key);
        for (const message of messages) {
          const bytes = Buffer.concat([Buffer.alloc(shift, 0xaa), message, Buffer.from('behind')]);
          hmac.update(bytes, shift, shift + message.length);
          expect(hexOf(hmac.digest)).toBe(createHmac('sha256', key).update(message).digest('hex'));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('equals node:crypto for every length around the block boundaries', () => {
  const hmac = new Hmac(Buffer.from('key'));
  for (let length = 0; length <= 200; length++) {
    const message = Buffer.alloc(length, length);
    hmac.update(message, 0, length);
    expect(hexOf(hmac.digest), `length ${length}`).toBe(
      createHmac('sha256', 'key').update(message).digest('hex'),
    );
  }
});

const keyed = new Hmac(Buffer.from('k'));
const lanes = HmacLanes.of(keyed.inner, keyed.outer);

test('four values at a time are hashed wherever Node runs', () => {
  expect(lanes).toBeDefined();
});

/** The texts of a column of digests. */
function digestsOf(
  values: readonly (string | null)[],
  encoding: 'hex' | 'base64url',
  by: typeof lanes,
): string[] {
  const text = textOfStrings(values.map((value) => value ?? ''));
  const validity = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, i) => {
    if (value !== null) validity[i >> 3]! |= 1 << (i & 7);
  });
  const vector = { length: values.length, data: text, validity };
  const { bytes, start, end } = hmacText(keyed, vector, text, encoding, by);
  return values.map((_, i) => Buffer.from(bytes.subarray(start[i]!, end[i]!)).toString());
}

const wanted = (values: readonly (string | null)[], encoding: 'hex' | 'base64url') =>
  values.map((v) => (v === null ? '' : createHmac('sha256', 'k').update(v).digest(encoding)));

describe.each([
  ['one at a time', undefined],
  ['four at a time', lanes],
] as const)('a column, %s', (_, by) => {
  test.each(['hex', 'base64url'] as const)(
    'is written as %s, and nothing for rows without a value',
    (encoding) => {
      const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 40, maxLength: 80 }));
      fc.assert(
        fc.property(fc.array(fc.option(value), { size: 'medium' }), (values) => {
          expect(digestsOf(values, encoding, by)).toEqual(wanted(values, encoding));
        }),
      );
    },
  );

  test('is right for every length, and for more rows and bytes than are hashed together', () => {
    const lengths = Array.from(
      { length: 130 },
      (_, length) => 'ü'.repeat(length >> 1) + 'x'.repeat(length % 2),
    );
    const many = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? null : `value ${i}`));
    const far = ['a', 'b'.repeat(1 << 20), 'c', 'd', 'e'.repeat(1 << 20), 'f'];
    for (const values of [lengths, many, far]) {
      expect(digestsOf(values, 'hex', by)).toEqual(wanted(values, 'hex'));
    }
  });
});
