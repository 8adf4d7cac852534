import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatUuid, parseUuid } from './uuid.js';

test('bytes and text say the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(4), (bytes, at) => {
      const into = new Uint8Array(20);
      const text = formatUuid(bytes);
      expect(text.replaceAll('-', '')).toBe(Buffer.from(bytes).toString('hex'));
      expect(parseUuid(text.toUpperCase(), into, at)).toBe(true);
      expect(into.subarray(at, at + 16)).toEqual(bytes);
      expect(formatUuid(into, at)).toBe(text);
    }),
  );
});

test('reads what node:crypto writes, and the forms without hyphens and with braces', () => {
  const uuid = randomUUID();
  for (const text of [uuid, uuid.replaceAll('-', ''), `{${uuid}}`]) {
    const bytes = new Uint8Array(16);
    expect(parseUuid(text, bytes)).toBe(true);
    expect(formatUuid(bytes)).toBe(uuid);
  }
});

test.each([
  '',
  'x',
  '01234567-89ab-cdef-0123-456789abcde',
  '01234567-89ab-cdef-0123-456789abcdefa',
  '0123456g-89ab-cdef-0123-456789abcdef',
  ' 01234567-89ab-cdef-0123-456789abcdef',
])('%j is no UUID and writes nothing', (text) => {
  const bytes = new Uint8Array(16);
  expect(parseUuid(text, bytes)).toBe(false);
  expect(bytes).toEqual(new Uint8Array(16));
});
