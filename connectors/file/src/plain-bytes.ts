/** The plain bytes of a file, whatever its compression, and of its text, whatever its encoding. */
import {
  type Compression,
  compressionOfBytes,
  decompress,
  encodingOfBytes,
  encodingOfName,
  type Storage,
  utf8Bytes,
} from '@sluice/formats';
import type { FileConfig } from './config.js';
import { fileErrors } from './errors.js';
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

/**
 * The text of a file in UTF-8, from an offset in this UTF-8 on. In other encodings everything before it is decoded and
 * dropped: only the text so far tells how many bytes it has become.
 */
export async function textBytes(
  storage: Storage,
  file: SourceFile,
  config: FileConfig,
  from = 0,
): Promise<AsyncIterable<Uint8Array>> {
  const open = () => plainBytes(storage, file, config);
  const encoding = encodingSaid(config) ?? encodingOfBytes(await firstBytes(await open()));
  if (encoding === 'utf-8') return plainBytes(storage, file, config, from);
  return skip(utf8Bytes(open, encoding, file.path), from);
}

/** The encoding that the configuration names. Throws `SLUICE-FILE-0007` when there is none of that name. */
export function encodingSaid({ encoding }: FileConfig): string | undefined {
  if (encoding === undefined) return undefined;
  const known = encodingOfName(encoding);
  if (known !== undefined) return known;
  throw fileErrors.settingInvalid(`encoding: no encoding is called ${encoding}`);
}

async function firstBytes(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of source) if (chunk.byteLength > 0) return chunk.slice(0, 4);
  return new Uint8Array(0);
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
