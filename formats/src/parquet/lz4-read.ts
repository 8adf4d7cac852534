/**
 * LZ4 blocks: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 * Parquet's LZ4_RAW is one block. Its deprecated LZ4 is Hadoop's framing (sizes in big endian before each block),
 * or one block by writers that took it so, or LZ4's own frame in the earliest files.
 */
import { sound } from './damage.js';

/** One block; fails unless it yields exactly as many bytes as `out` has room for. */
export function readLz4Block(bytes: Uint8Array, out: Uint8Array): void {
  sound(
    decodeBlock(bytes, 0, bytes.byteLength, out, 0) === out.byteLength,
    'an LZ4 block yields too few bytes',
  );
}

/** Hadoop's framing, LZ4's own frame, or one block. */
export function readLegacyLz4(bytes: Uint8Array, out: Uint8Array): void {
  if (!readHadoopBlocks(bytes, out) && !readFrame(bytes, out)) readLz4Block(bytes, out);
}

function decodeBlock(bytes: Uint8Array, at: number, end: number, out: Uint8Array, put: number): number {
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15) [literals, at] = extended(bytes, at, end, literals);
    sound(at + literals <= end && put + literals <= out.byteLength, 'an LZ4 block is damaged');
    out.set(bytes.subarray(at, at + literals), put);
    at += literals;
    put += literals;
    if (at === end) break;
    sound(at + 2 <= end, 'an LZ4 block is damaged');
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) [length, at] = extended(bytes, at, end, length);
    length += 4;
    sound(distance > 0 && distance <= put && put + length <= out.byteLength, 'an LZ4 block is damaged');
    // Byte by byte, since a match may overlap itself.
    for (const last = put + length; put < last; put++) out[put] = out[put - distance]!;
  }
  return put;
}

function extended(bytes: Uint8Array, at: number, end: number, length: number): [length: number, at: number] {
  for (;;) {
    sound(at < end, 'an LZ4 block is damaged');
    const more = bytes[at++]!;
    length += more;
    if (more < 255) return [length, at];
  }
}

/** False when the bytes are not framed so: sizes must fit, and add up. */
function readHadoopBlocks(bytes: Uint8Array, out: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let size = 0;
  const blocks: [from: number, to: number, put: number, size: number][] = [];
  while (at + 8 <= bytes.byteLength) {
    const plain = view.getUint32(at);
    const packed = view.getUint32(at + 4);
    if (at + 8 + packed > bytes.byteLength || size + plain > out.byteLength) return false;
    blocks.push([at + 8, at + 8 + packed, size, plain]);
    at += 8 + packed;
    size += plain;
  }
  if (at !== bytes.byteLength || size !== out.byteLength) return false;
  for (const [from, to, put, length] of blocks) {
    const end = decodeBlock(bytes, from, to, out.subarray(0, put + length), put);
    sound(end === put + length, 'an LZ4 block yields too few bytes');
  }
  return true;
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, checksums unread. */
function readFrame(bytes: Uint8Array, out: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 11 || view.getUint32(0, true) !== 0x184d2204) return false;
  const flags = bytes[4]!;
  let at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  let put = 0;
  for (;;) {
    sound(at + 4 <= bytes.byteLength, 'an LZ4 frame is cut short');
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) break;
    const size = head & 0x7fffffff;
    sound(at + size <= bytes.byteLength, 'an LZ4 frame is cut short');
    if (head >>> 31) {
      sound(put + size <= out.byteLength, 'an LZ4 frame yields too many bytes');
      out.set(bytes.subarray(at, at + size), put);
      put += size;
    } else put = decodeBlock(bytes, at, at + size, out, put);
    at += size + (flags & 16 ? 4 : 0);
  }
  sound(put === out.byteLength, 'an LZ4 frame yields too few bytes');
  return true;
}
