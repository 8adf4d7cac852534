import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName } from './nearest.js';

test.each([
  ['nmae', ['name', 'id'], 'name'],
  ['custmer_id', ['customer_id', 'customer_name'], 'customer_id'],
  ['NAME', ['name'], 'name'],
  ['usr', ['user', 'use'], 'user'],
  ['completely', ['different'], undefined],
  ['x', [], undefined],
  ['', ['ab', 'abcd'], 'ab'],
])('%j among %j means %j', (wrong, names, expected) => {
  expect(nearestName(wrong, names)).toBe(expected);
});

test('a name with one edit is found among names that are far away', () => {
  const name = fc.stringMatching(/^[a-z]{4,12}$/);
  fc.assert(
    fc.property(name, fc.nat(3), fc.constantFrom('drop', 'double', 'swap', 'replace'), (meant, at, edit) => {
      const [a, b] = [meant[at]!, meant[at + 1] ?? ''];
      const edited = { drop: '', double: a + a, swap: b + a, replace: '_' }[edit]!;
      const wrong = meant.slice(0, at) + edited + meant.slice(at + (edit === 'swap' && b !== '' ? 2 : 1));
      expect(nearestName(wrong, ['0123456789012345', meant, '#'.repeat(meant.length)])).toBe(meant);
    }),
  );
});

test('no name is nearer than one that equals it but for case', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-zA-Z]{1,8}$/), { minLength: 1 }), (names) => {
      const found = nearestName(names.at(-1)!, names)!;
      expect(found.toLowerCase()).toBe(names.at(-1)!.toLowerCase());
    }),
  );
});
