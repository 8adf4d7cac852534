/** Compression of bytes that are written piece by piece. */
import { createGzip, type Gzip } from 'node:zlib';
import { compressZstd } from '../parquet/zstd.js';
import type { Compression } from './compression.js';
import { writeInto } from './write-into.js';

/** Where bytes go. Bytes must not be changed until `write` returns. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface CompressingSink extends ByteSink {
  /** Writes what is still held back. Closes nothing below. */
  finish(): Promise<void>;
}

/** A sink that compresses into another. */
export function compressTo(out: ByteSink, compression: Compression): CompressingSink {
  if (compression === 'gzip') return new GzipSink(out);
  if (compression === 'zstd') return new ZstdSink(out);
  return { write: (bytes) => out.write(bytes), async finish() {} };
}

const GZIP_LEVEL = 6;

/** One gzip member, made on Node's thread pool. */
class GzipSink implements CompressingSink {
  private readonly gzip: Gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 1 << 17 });
  private readonly ended: Promise<void>;
  private failure: { readonly error: unknown } | undefined;

  constructor(out: ByteSink) {
    this.ended = (async () => {
      for await (const chunk of this.gzip) await out.write(chunk as Uint8Array);
    })();
    this.ended.catch((error: unknown) => {
      this.failure = { error };
      this.gzip.destroy();
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    await writeInto(this.gzip, bytes);
  }

  async finish(): Promise<void> {
    this.gzip.end();
    await this.ended;
  }
}

/** Bytes of text in one zstd frame: large enough to compress well, small enough to hold. */
const FRAME = 4 << 20;

/** A row of zstd frames, which readers take as one stream. */
class ZstdSink implements CompressingSink {
  private held = Buffer.alloc(0);
  private end = 0;
  private isEmpty = true;

  constructor(private readonly out: ByteSink) {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.end + bytes.byteLength > this.held.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(FRAME + bytes.byteLength, this.held.byteLength));
      this.held.copy(grown, 0, 0, this.end);
      this.held = grown;
    }
    this.held.set(bytes, this.end);
    this.end += bytes.byteLength;
    if (this.end >= FRAME) await this.flush();
  }

  async finish(): Promise<void> {
    if (this.end > 0 || this.isEmpty) await this.flush();
  }

  private async flush(): Promise<void> {
    const frame = await compressZstd(this.held.subarray(0, this.end));
    this.end = 0;
    this.isEmpty = false;
    await this.out.write(frame);
  }
}
