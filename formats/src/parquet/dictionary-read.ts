/** Values by their index in the chunk's dictionary. */
import { type BytesCollector, FixedCollector } from './collect.js';
import { sound } from './damage.js';
import { copyBytes, type ValueDecoder } from './plain-read.js';
import { HybridReader } from './rle-read.js';

/** The bit width of the indices, then the indices. */
class Indices {
  private readonly runs: HybridReader;
  private buffer = new Uint32Array(0);

  constructor(bytes: Uint8Array, at: number, end: number) {
    sound(at < end, 'a page of indices is empty');
    this.runs = new HybridReader(bytes, at + 1, end, bytes[at]!);
  }

  /** The next indices, all below `size`. */
  read(count: number, size: number): Uint32Array {
    if (this.buffer.length < count) this.buffer = new Uint32Array(count);
    const { buffer } = this;
    this.runs.read(buffer, 0, count);
    let most = 0;
    for (let i = 0; i < count; i++) if (buffer[i]! > most) most = buffer[i]!;
    sound(count === 0 || most < size, `an index (${most}) passes the end of the dictionary (${size})`);
    return buffer;
  }
}

export class DictionaryFixed implements ValueDecoder<FixedCollector> {
  private readonly indices: Indices;
  constructor(
    private readonly dictionary: FixedCollector,
    bytes: Uint8Array,
    at: number,
    end: number,
  ) {
    this.indices = new Indices(bytes, at, end);
  }

  read(count: number, into: FixedCollector): void {
    const { dictionary } = this;
    const { stride } = into;
    const indices = this.indices.read(count, dictionary.count);
    let to = into.extend(count);
    if (stride === 4) {
      for (let i = 0; i < count; i++) into.words[to++] = dictionary.words[indices[i]!]!;
    } else if (stride % 4 === 0) {
      const width = stride / 4;
      to *= width;
      for (let i = 0; i < count; i++) {
        const from = indices[i]! * width;
        for (let w = 0; w < width; w++) into.words[to++] = dictionary.words[from + w]!;
      }
    } else {
      to *= stride;
      for (let i = 0; i < count; i++) {
        const from = indices[i]! * stride;
        for (let b = 0; b < stride; b++) into.bytes[to++] = dictionary.bytes[from + b]!;
      }
    }
  }
}

export class DictionaryBytes implements ValueDecoder<BytesCollector> {
  private readonly indices: Indices;
  constructor(
    private readonly dictionary: BytesCollector,
    bytes: Uint8Array,
    at: number,
    end: number,
  ) {
    this.indices = new Indices(bytes, at, end);
  }

  read(count: number, into: BytesCollector): void {
    const { dictionary } = this;
    const indices = this.indices.read(count, dictionary.count);
    const starts = dictionary.offsets;
    let size = 0;
    for (let i = 0; i < count; i++) size += starts[indices[i]! + 1]! - starts[indices[i]!]!;
    into.reserve(count, size);
    const { offsets, data, view } = into;
    let put = into.end;
    for (let i = 0, to = into.count + 1; i < count; i++) {
      const from = starts[indices[i]!]!;
      const length = starts[indices[i]! + 1]! - from;
      copyBytes(dictionary.data, dictionary.view, from, data, view, put, length);
      put += length;
      offsets[to++] = put;
    }
    into.count += count;
  }
}

/** The decoder of a page of indices. */
export function dictionaryDecoder(
  dictionary: FixedCollector | BytesCollector | undefined,
  bytes: Uint8Array,
  at: number,
  end: number,
): DictionaryFixed | DictionaryBytes {
  sound(dictionary !== undefined, 'a page of indices has no dictionary before it');
  if (dictionary instanceof FixedCollector) return new DictionaryFixed(dictionary, bytes, at, end);
  return new DictionaryBytes(dictionary, bytes, at, end);
}
