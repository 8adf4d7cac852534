/** Decompression of byte streams: several gzip members or zstd frames, one after the other, are read as one text. */
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { Compression } from './compression.js';
import { compressionErrors } from './errors.js';
import { writeInto } from './write-into.js';
import { Xxh64 } from './xxh64.js';
import { ZstdFrames } from './zstd-frames.js';

/** Output is handed on in pieces of this size, so that what follows is not called for every few kilobytes. */
const CHUNK = 1 << 18;

/**
 * The plain bytes of a compressed stream. `file` names it in errors. A chunk of `source` is no longer used when the
 * next one is asked for. Throws `SLUICE-COMPRESSION-0001`.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  file: string,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return gzipMembers(source, file);
  return zstdFrames(source, file);
}

/**
 * Gzip on Node's thread pool. Node takes what begins with a zero behind a member for padding and says nothing of what
 * stands in it, so that is looked at here: zeros up to the end are padding, as tapes and archives leave it, and anything
 * else would be data that is lost.
 */
async function* gzipMembers(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  let failure: { readonly error: unknown } | undefined;
  let fed = 0;
  let isStopped = false;
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (isStopped) return;
        if (gunzip.bytesWritten === fed) await writeInto(gunzip, chunk);
        fed += chunk.byteLength;
        const padding = Math.min(chunk.byteLength, fed - gunzip.bytesWritten);
        if (!gunzip.destroyed && chunk.subarray(chunk.byteLength - padding).some((byte) => byte !== 0)) {
          throw compressionErrors.damaged(`${file}: something follows the zeros behind its end`, {
            details: { file },
          });
        }
      }
      if (fed === 0) throw compressionErrors.damaged(`${file} is empty and so no compressed file`);
      gunzip.end();
    } catch (error) {
      failure = { error };
      gunzip.destroy(error as Error);
    }
  })();
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
    await feeding;
  } catch (error) {
    failure ??= { error: damaged(error, file) };
  } finally {
    isStopped = true;
    if (!gunzip.destroyed) {
      gunzip.destroy();
      await once(gunzip, 'close');
    }
    await feeding;
  }
  if (failure !== undefined) throw failure.error;
}

/**
 * Zstandard by a decoder in JavaScript, on this thread. The one that newer versions of Node have stops behind the first
 * frame without a word, and Node 22 takes a stream that is cut short for a whole one. Each frame has a decoder of its
 * own, so that all of its text is there when it ends and can be compared with its checksum, which the decoder passes over.
 */
async function* zstdFrames(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  let frame = new ZstdFrame();
  let isEmpty = true;
  try {
    for await (const chunk of source) {
      isEmpty &&= chunk.byteLength === 0;
      for (const { bytes, end, checksum } of frames.cut(chunk)) {
        yield* frame.decode(bytes, end, frames.hasChecksum);
        if (!end) continue;
        if (checksum !== undefined && frame.hash.low32() !== checksum) throw new Error('a checksum is wrong');
        frame = new ZstdFrame();
      }
    }
    frames.finish();
    if (isEmpty) throw compressionErrors.damaged(`${file} is empty and so no compressed file`);
  } catch (error) {
    throw damaged(error, file);
  }
}

class ZstdFrame {
  readonly hash = new Xxh64();
  private ready: Uint8Array[] = [];
  private readonly decoder = new Decompress((bytes) => {
    if (bytes.byteLength > 0) this.ready.push(bytes);
  });

  decode(bytes: Uint8Array, end: boolean, isChecked: boolean): Uint8Array[] {
    // The decoder keeps what it was given until it has used it.
    this.decoder.push(bytes.slice(), end);
    const taken = this.ready;
    this.ready = [];
    if (isChecked) for (const text of taken) this.hash.update(text);
    return taken;
  }
}

function damaged(error: unknown, file: string): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code === 'string' && code.startsWith('SLUICE-')) return error;
  return compressionErrors.damaged(`${file}: ${message ?? String(error)}`, {
    cause: error,
    details: { file },
  });
}
