/**
 * Zstandard: by Node's own zlib where it has it (22.15 and newer, on the thread pool), else by a WebAssembly build
 * of the reference library, on the main thread. The latter compresses some 280 MB/s and needs no install script;
 * it is loaded when first used.
 */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { sound } from './damage.js';

/** What newer versions of Node's zlib have. */
interface NativeZstd {
  zstdCompress?(bytes: Uint8Array, done: Done): void;
  zstdDecompress?(bytes: Uint8Array, options: { maxOutputLength: number }, done: Done): void;
}
type Done = (error: Error | null, result: Buffer) => void;

interface WasmZstd {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level?: number): Uint8Array;
  decompress(bytes: Uint8Array, options: { defaultHeapSize: number }): Uint8Array;
}

const LEVEL = 3;

let wasm: Promise<WasmZstd> | undefined;

function loadWasm(): Promise<WasmZstd> {
  wasm ??= import('@bokuweb/zstd-wasm').then(async (library: WasmZstd) => {
    await library.init();
    return library;
  });
  return wasm;
}

export async function compressZstd(bytes: Uint8Array): Promise<Uint8Array> {
  const { zstdCompress } = zlib as NativeZstd;
  if (zstdCompress !== undefined) return promisify(zstdCompress)(bytes);
  return (await loadWasm()).compress(bytes, LEVEL);
}

/** Decompresses one frame that yields `size` bytes. */
export async function decompressZstd(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const declared = contentSize(bytes);
  // The library allocates what the frame declares, so that has to be true before it is asked.
  sound(declared === undefined || declared === size, `a zstd frame of ${declared} bytes stands for ${size}`);
  const { zstdDecompress } = zlib as NativeZstd;
  if (zstdDecompress !== undefined)
    return promisify(zstdDecompress)(bytes, { maxOutputLength: Math.max(1, size) });
  return (await loadWasm()).decompress(bytes, { defaultHeapSize: size });
}

/** The size that a frame's header declares, if it does: RFC 8878, section 3.1.1. */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  sound(bytes.byteLength >= 6 && view.getUint32(0, true) === 0xfd2fb528, 'the bytes are no zstd frame');
  const descriptor = bytes[4]!;
  const single = (descriptor >> 5) & 1;
  const flag = descriptor >> 6;
  const at = 5 + (1 - single) + [0, 1, 2, 4][descriptor & 3]!;
  const width = flag === 0 ? single : 1 << flag;
  if (width === 0) return undefined;
  sound(at + width <= bytes.byteLength, 'a zstd frame is cut short');
  if (width === 1) return bytes[at]!;
  if (width === 2) return view.getUint16(at, true) + 256;
  return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
