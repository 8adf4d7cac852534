/** Compression of pages, on Node's thread pool beside the encoding (for zstd in older versions of Node see there). */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compress as snappy } from 'snappy';
import { Codec } from './format.js';
import { compressZstd } from './zstd.js';

export type ParquetCodec = 'none' | 'snappy' | 'gzip' | 'zstd';

export interface PageCompressor {
  /** The number in the file. */
  readonly codec: number;
  /** Absent: pages are stored as they are. The bytes must stay unchanged until the promise settles. */
  readonly compress?: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/**
 * The result is copied into memory of Node's own: the compressor's buffer, as large as the worst case, is then freed at
 * once and not at some later garbage collection, which does not see its true size.
 */
const COPY_OUT = { copyOutputData: true };

export function pageCompressor(name: ParquetCodec): PageCompressor {
  switch (name) {
    case 'none':
      return { codec: Codec.UNCOMPRESSED };
    case 'snappy':
      return { codec: Codec.SNAPPY, compress: (bytes) => snappy(bytes, COPY_OUT) };
    case 'gzip': {
      const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
      return { codec: Codec.GZIP, compress: (bytes) => gzip(bytes, { level: 6 }) };
    }
    case 'zstd':
      return { codec: Codec.ZSTD, compress: compressZstd };
  }
}
