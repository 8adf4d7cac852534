/**
 * 128 bits of a text: MurmurHash3_x86_128 (https://github.com/aappleby/smhasher, public domain) over its UTF-16 units.
 * It guards against chance, not against people who look for two texts with one digest. In plain integer arithmetic,
 * because a call into a library for every row of a table takes several times as long as this.
 */

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** Units of 16 bits in a block. */
const BLOCK = 8;

/** Four words; overwritten by the next call. */
const words = new Uint32Array(4);

/** The digest's four words, which stay until the next call. */
export function textDigest(text: string): Uint32Array {
  const { length } = text;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  // Units behind the end are zeros: the length, which is mixed in last, tells them from those that are there.
  for (let at = 0; at < length; at += BLOCK) {
    h1 ^= Math.imul(rotated(Math.imul(pair(text, at), C1), 15), C2);
    h1 = (Math.imul((rotated(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotated(Math.imul(pair(text, at + 2), C2), 16), C3);
    h2 = (Math.imul((rotated(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotated(Math.imul(pair(text, at + 4), C3), 17), C4);
    h3 = (Math.imul((rotated(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotated(Math.imul(pair(text, at + 6), C4), 18), C1);
    h4 = (Math.imul((rotated(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = mixed(h1);
  h2 = mixed(h2);
  h3 = mixed(h3);
  h4 = mixed(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  words[0] = h1;
  words[1] = h2 + h1;
  words[2] = h3 + h1;
  words[3] = h4 + h1;
  return words;
}

/** The same as a short text of its own. */
export function digestText(text: string): string {
  const [a, b, c, d] = textDigest(text) as unknown as [number, number, number, number];
  return String.fromCharCode(
    a >>> 16,
    a & 0xffff,
    b >>> 16,
    b & 0xffff,
    c >>> 16,
    c & 0xffff,
    d >>> 16,
    d & 0xffff,
  );
}

/** Two units; zero behind the end, where `charCodeAt` is no number. */
function pair(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mixed(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
