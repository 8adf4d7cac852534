import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestText, textDigest } from './text-digest.js';

it('is the same for the same text alone', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      (a, b) => {
        expect(digestText(a) === digestText(b)).toBe(a === b);
      },
    ),
  );
});

it('differs in each word for texts that differ a little, zeros at the end among them', () => {
  const texts = ['', '\0', '\0\0', 'a', 'a\0', 'aaaaaaaa', 'aaaaaaaa\0', 'aaaaaaab', 'baaaaaaa', 'aaaaaaaaa'];
  for (let word = 0; word < 4; word++) {
    expect(new Set(texts.map((text) => textDigest(text)[word])).size).toBe(texts.length);
  }
});

it('changes half of its bits on average with one bit of the text', () => {
  let changed = 0;
  const trials = 1000;
  for (let i = 0; i < trials; i++) {
    const text = `row ${i}: some text`;
    const before = [...textDigest(text)];
    const place = i % text.length;
    const flipped = String.fromCharCode(text.charCodeAt(place) ^ (1 << (i % 16)));
    const after = [...textDigest(text.slice(0, place) + flipped + text.slice(place + 1))];
    for (const [word, bits] of before.entries()) changed += ones(bits ^ after[word]!);
  }
  expect(changed / trials / 128).toBeGreaterThan(0.48);
  expect(changed / trials / 128).toBeLessThan(0.52);
});

it('spreads short texts evenly', () => {
  const counts = new Uint32Array(256);
  for (let i = 0; i < 256 * 400; i++) counts[textDigest(`${i}`)[0]! & 255]!++;
  for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(6 * Math.sqrt(400));
});

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
