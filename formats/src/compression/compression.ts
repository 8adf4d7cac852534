/** The compressions of files, and how they are told apart. */

export type Compression = 'none' | 'gzip' | 'zstd';

/** File endings of compressed files. */
export const COMPRESSION_ENDINGS: { readonly [ending: string]: Compression } = {
  '.gz': 'gzip',
  '.zst': 'zstd',
};

/** By a file's ending: `a.csv.gz` is gzip. */
export function compressionOfPath(path: string): Compression {
  for (const [ending, compression] of Object.entries(COMPRESSION_ENDINGS)) {
    if (path.toLowerCase().endsWith(ending)) return compression;
  }
  return 'none';
}

/** By a file's first bytes: the magic numbers of RFC 1952 and RFC 8878 (also of a skippable frame). */
export function compressionOfBytes(bytes: Uint8Array): Compression {
  const [a, b, c, d] = bytes;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return 'none';
}
