/** Compression of pages, off the main thread: snappy, gzip and zstd all run on Node's thread pool. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compress as snappy } from 'snappy';
import { parquetErrors } from './errors.js';
import { Codec } from './format.js';

export type ParquetCodec = 'none' | 'snappy' | 'gzip' | 'zstd';

export interface PageCompressor {
  /** The number in the file. */
  readonly codec: number;
  /** Absent: pages are stored as they are. The bytes must stay unchanged until the promise settles. */
  readonly compress?: (bytes: Uint8Array) => Promise<Uint8Array>;
}

export function pageCompressor(name: ParquetCodec): PageCompressor {
  switch (name) {
    case 'none':
      return { codec: Codec.UNCOMPRESSED };
    case 'snappy':
      return { codec: Codec.SNAPPY, compress: (bytes) => snappy(bytes) };
    case 'gzip': {
      const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
      return { codec: Codec.GZIP, compress: (bytes) => gzip(bytes, { level: 6 }) };
    }
    case 'zstd':
      return { codec: Codec.ZSTD, compress: zstd() };
  }
}

type ZstdCompress = (bytes: Uint8Array, done: (error: Error | null, result: Buffer) => void) => void;

function zstd(): (bytes: Uint8Array) => Promise<Uint8Array> {
  const { zstdCompress } = zlib as { zstdCompress?: ZstdCompress };
  if (zstdCompress === undefined) {
    throw parquetErrors.codecMissing(`zstd needs Node.js 22.15 or newer, this is ${process.version}`);
  }
  return promisify(zstdCompress);
}
