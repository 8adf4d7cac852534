/** Decompression of pages, never into more memory than the page's header says. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { uncompress as snappy } from 'snappy';
import { Damage, sound } from './damage.js';
import { Codec } from './format.js';
import { readLegacyLz4, readLz4Block } from './lz4-read.js';
import { decompressZstd } from './zstd.js';

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const unbrotli = promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);

/** Codecs that are read. LZO has no definition that anybody shares. */
export function isReadable(codec: number): boolean {
  return codec >= 0 && codec <= Codec.LZ4_RAW && codec !== Codec.LZO;
}

/** The `size` bytes that a page's bytes stand for; throws Damage when they stand for something else. */
export async function decompress(codec: number, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  if (codec === Codec.UNCOMPRESSED) {
    sound(bytes.byteLength === size, `an uncompressed page of ${size} bytes has ${bytes.byteLength}`);
    return bytes;
  }
  if (size === 0) return new Uint8Array(0);
  let plain: Uint8Array;
  try {
    plain = await expand(codec, bytes, size);
  } catch (error) {
    if (error instanceof Damage) throw error;
    throw new Damage(
      `a page does not decompress (${error instanceof Error ? error.message : String(error)})`,
      {
        cause: error,
      },
    );
  }
  sound(plain.byteLength === size, `a page decompresses to ${plain.byteLength} bytes instead of ${size}`);
  return plain;
}

async function expand(codec: number, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  switch (codec) {
    case Codec.SNAPPY:
      sound(snappySize(bytes) === size, 'a snappy page stands for another size');
      return (await snappy(bytes, { asBuffer: true })) as Buffer;
    case Codec.GZIP:
      return gunzip(bytes, { maxOutputLength: size });
    case Codec.BROTLI:
      return unbrotli(bytes, { maxOutputLength: size });
    case Codec.ZSTD:
      return decompressZstd(bytes, size);
    default: {
      // A byte of LZ4 stands for 255 at most.
      sound(size <= bytes.byteLength * 255, 'an LZ4 page stands for more than it can');
      const plain = new Uint8Array(size);
      if (codec === Codec.LZ4_RAW) readLz4Block(bytes, plain);
      else readLegacyLz4(bytes, plain);
      return plain;
    }
  }
}

/** The size in front of snappy's raw format, which its library allocates. */
function snappySize(bytes: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5 && i < bytes.byteLength; i++) {
    size += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! < 0x80) return size;
  }
  return -1;
}
