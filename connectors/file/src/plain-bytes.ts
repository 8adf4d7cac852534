/** The plain bytes of a file, whatever its compression. */
import { type Compression, compressionOfBytes, decompress, type Storage } from '@sluice/formats';
import type { FileConfig } from './config.js';
import type { SourceFile } from './source-files.js';

/** How a file is compressed: as configured, else by its first bytes. */
export async function compressionOf(
  storage: Storage,
  file: SourceFile,
  config: FileConfig,
): Promise<Compression> {
  if (config.compression !== 'auto') return config.compression;
  return compressionOfBytes(await storage.readAt(file.path, 0, 4));
}

/**
 * The plain bytes from an offset on, up to the size that the file had when it was planned: what is appended later is
 * none of it. In a compressed file everything before it is decompressed and dropped: neither
 * gzip nor zstd can begin in the middle.
 */
export async function plainBytes(
  storage: Storage,
  file: SourceFile,
  config: FileConfig,
  from = 0,
): Promise<AsyncIterable<Uint8Array>> {
  const compression = await compressionOf(storage, file, config);
  const to = file.size;
  if (compression === 'none') return storage.read(file.path, { from, to });
  return skip(decompress(storage.read(file.path, { to }), compression, file.path), from);
}

async function* skip(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    if (left >= chunk.byteLength) left -= chunk.byteLength;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
