/** The plain text of JSON strings, from bytes to bytes. */
import type { Unescape } from '../text/cells.js';

const BACKSLASH = 0x5c;
const LETTERS: { readonly [byte: number]: number } = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

/** The value of a hexadecimal digit, or −1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Takes the escapes off a string whose grammar has been checked. Never grows: `\uXXXX` is at most three bytes. */
export const unescapeJson: Unescape = (bytes, from, to, out, at) => {
  while (from < to) {
    const byte = bytes[from]!;
    if (byte !== BACKSLASH) {
      out[at++] = byte;
      from++;
      continue;
    }
    const letter = bytes[from + 1]!;
    if (letter !== 0x75) {
      out[at++] = LETTERS[letter] ?? letter;
      from += 2;
      continue;
    }
    let point = unit(bytes, from + 2);
    from += 6;
    if (point >= 0xd800 && point <= 0xdbff) {
      point = 0x10000 + ((point - 0xd800) << 10) + unit(bytes, from + 2) - 0xdc00;
      from += 6;
    }
    at = writeUtf8(point, out, at);
  }
  return at;
};

function unit(bytes: Uint8Array, p: number): number {
  let value = 0;
  for (let i = p; i < p + 4; i++) value = value * 16 + hexDigit(bytes[i]!);
  return value;
}

function writeUtf8(point: number, out: Uint8Array, at: number): number {
  if (point < 0x80) {
    out[at++] = point;
  } else if (point < 0x800) {
    out[at++] = 0xc0 | (point >> 6);
    out[at++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
    out[at++] = 0x80 | (point & 0x3f);
  } else {
    out[at++] = 0xf0 | (point >> 18);
    out[at++] = 0x80 | ((point >> 12) & 0x3f);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
    out[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}
