/** The HMACs of a text column, written as text straight into the buffer of the new one. */
import { hasValue, type Text, type Vector } from '../kernels/vector.js';
import type { Hmac } from './hmac.js';
import { type HmacLanes, LANE_BYTES, LANE_ROWS, LONGEST_SHORT } from './hmac-lanes.js';

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

/**
 * Digests of the rows that have a value. With `lanes`, hexadecimal ones of short values are computed four at a time.
 */
export function hmacText(
  hmac: Hmac,
  vector: Vector,
  text: Text,
  encoding: DigestEncoding,
  lanes: HmacLanes | undefined,
): Text {
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
  const one = (i: number) => {
    hmac.update(text.bytes, text.start[i]!, text.end[i]!);
    if (encoding === 'hex') writeHex(hmac.digest, pairs, start[i]! >> 1);
    else writeBase64url(hmac.digest, bytes, start[i]!);
  };
  if (lanes !== undefined && encoding === 'hex') {
    const group = new LaneGroup(lanes, text, bytes, start);
    for (let i = 0; i < rows; i++) {
      if (end[i] !== start[i] && !group.add(i)) one(i);
    }
    group.flush();
  } else {
    for (let i = 0; i < rows; i++) if (end[i] !== start[i]) one(i);
  }
  return { kind: 'text', bytes: bytes.subarray(0, at), start, end };
}

/** Short values that wait to be hashed together, and where their digests go. */
class LaneGroup {
  private readonly rows = new Int32Array(LANE_ROWS);
  private count = 0;
  private from = 0;
  private to = 0;

  constructor(
    private readonly lanes: HmacLanes,
    private readonly text: Text,
    private readonly out: Uint8Array,
    private readonly outStart: Int32Array,
  ) {}

  /** False when the value is too long to be one of the group. */
  add(row: number): boolean {
    const start = this.text.start[row]!;
    const end = this.text.end[row]!;
    if (end - start > LONGEST_SHORT) return false;
    const from = Math.min(this.count === 0 ? start : this.from, start);
    const to = Math.max(this.count === 0 ? end : this.to, end);
    if (this.count === LANE_ROWS || to - from > LANE_BYTES) {
      this.flush();
      return this.add(row);
    }
    this.from = from;
    this.to = to;
    this.rows[this.count++] = row;
    return true;
  }

  flush(): void {
    const { lanes, text, out, outStart, count } = this;
    if (count === 0) return;
    const rows = this.rows.subarray(0, count);
    const digests = lanes.hex(text.bytes, text.start, text.end, rows, this.from, this.to);
    // Rows without a value take no room: between two long values the digests lie as they are computed.
    for (let k = 0; k < count; ) {
      let next = k + 1;
      while (next < count && outStart[rows[next]!] === outStart[rows[next - 1]!]! + DIGEST_SIZE.hex) next++;
      out.set(digests.subarray(k * DIGEST_SIZE.hex, next * DIGEST_SIZE.hex), outStart[rows[k]!]!);
      k = next;
    }
    this.count = 0;
  }
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
