/** The HMACs of a text column, written as text straight into the buffer of the new one. */
import { hasValue, type Text, type Vector } from '../kernels/vector.js';
import type { Hmac } from './hmac.js';

export type DigestEncoding = 'hex' | 'base64url';

/** Characters of a digest of 32 bytes. */
const DIGEST_SIZE: { readonly [E in DigestEncoding]: number } = { hex: 64, base64url: 43 };

/** Two hexadecimal digits of every byte, as two bytes in the order in which memory has them. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high, low] = [...byte.toString(16).padStart(2, '0')].map((digit) => digit.charCodeAt(0)) as [
    number,
    number,
  ];
  return high | (low << 8);
});
const BASE64URL = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** Digests of the rows that have a value. */
export function hmacText(hmac: Hmac, vector: Vector, text: Text, encoding: DigestEncoding): Text {
  const rows = vector.length;
  const size = DIGEST_SIZE[encoding];
  const start = new Int32Array(rows);
  const end = new Int32Array(rows);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    start[i] = at;
    if (hasValue(vector, i)) at += size;
    end[i] = at;
  }
  const bytes = new Uint8Array((at + 1) & ~1);
  const pairs = new Uint16Array(bytes.buffer);
  for (let i = 0; i < rows; i++) {
    if (end[i] === start[i]) continue;
    hmac.update(text.bytes, text.start[i]!, text.end[i]!);
    if (encoding === 'hex') writeHex(hmac.digest, pairs, start[i]! >> 1);
    else writeBase64url(hmac.digest, bytes, start[i]!);
  }
  return { kind: 'text', bytes: bytes.subarray(0, at), start, end };
}

function writeHex(digest: Int32Array, pairs: Uint16Array, at: number): void {
  for (let i = 0; i < 8; i++) {
    const word = digest[i]!;
    pairs[at++] = HEX_PAIRS[word >>> 24]!;
    pairs[at++] = HEX_PAIRS[(word >>> 16) & 0xff]!;
    pairs[at++] = HEX_PAIRS[(word >>> 8) & 0xff]!;
    pairs[at++] = HEX_PAIRS[word & 0xff]!;
  }
}

function writeBase64url(digest: Int32Array, bytes: Uint8Array, at: number): void {
  let held = 0;
  let bits = 0;
  for (let i = 0; i < 32; i++) {
    held = (held << 8) | ((digest[i >> 2]! >>> (24 - (i & 3) * 8)) & 0xff);
    bits += 8;
    for (; bits >= 6; bits -= 6) bytes[at++] = BASE64URL[(held >>> (bits - 6)) & 63]!;
    held &= 0xff;
  }
  bytes[at] = BASE64URL[(held << (6 - bits)) & 63]!;
}
