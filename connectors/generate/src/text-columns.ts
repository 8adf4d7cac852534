/** Columns of text and bytes, built as one run of bytes and offsets. */
import type { Layout } from '@sluice/sdk';
import type { ColumnSpec } from './column-spec.js';
import type { MakeLayout } from './fixed-columns.js';
import { fraction, integerBelow, keyedStates, word } from './random.js';

type Spec<T extends ColumnSpec['type']> = Extract<ColumnSpec, { type: T }>;

const WORDS = (
  'amber anchor apple arrow autumn badger bamboo barley basket beacon birch blossom border branch bridge bronze ' +
  'candle canyon carbon castle cedar circle clover cobalt coffee comet copper coral cotton crane cricket crystal ' +
  'daisy delta desert dolphin eagle echo ember falcon feather fern field flint forest fossil garden garnet ginger ' +
  'glacier granite harbor hazel heron hollow honey island ivory jasmine juniper kettle lagoon lantern laurel lemon ' +
  'lilac linen lotus maple marble meadow mercury mint mirror mosaic nectar needle nickel oak ocean olive onyx opal ' +
  'orchid osprey otter paper pearl pebble pepper pine planet plum poppy prairie quartz quiet rain raven reef ridge ' +
  'river robin rose saffron sage salmon sand sapphire shadow shore silver slate snow sparrow spruce star stone ' +
  'storm summer swan thistle thunder timber topaz tulip valley velvet violet walnut water wheat willow winter wolf'
).split(' ');

/** Pieces of text as bytes, to be appended by index. */
class Pieces {
  readonly count: number;
  readonly longest: number;
  private readonly data: Buffer;
  private readonly offsets: Int32Array;
  constructor(texts: readonly string[]) {
    const parts = texts.map((text) => Buffer.from(text));
    this.count = parts.length;
    this.longest = parts.reduce((most, part) => Math.max(most, part.length), 0);
    this.data = Buffer.concat(parts);
    this.offsets = new Int32Array(parts.length + 1);
    for (let i = 0; i < parts.length; i++) this.offsets[i + 1] = this.offsets[i]! + parts[i]!.length;
  }
  /** Writes a piece and returns where it ends. A loop beats `copy` for pieces of a few bytes. */
  put(index: number, into: Uint8Array, at: number): number {
    const end = this.offsets[index + 1]!;
    for (let from = this.offsets[index]!; from < end; from++) into[at++] = this.data[from]!;
    return at;
  }
}

/** Bytes that grow while rows are appended. */
class Growing {
  data = new Uint8Array(0);
  end = 0;
  reserve(more: number): void {
    if (this.end + more <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.end + more, this.data.length * 2, 4096));
    grown.set(this.data.subarray(0, this.end));
    this.data = grown;
  }
}

/** Rows of `min` to `max` pieces, with `separator` between them. */
function piecedLayout(pieces: Pieces, min: number, max: number, separator: number | undefined): MakeLayout {
  const span = max - min + 1;
  const widest = max * (pieces.longest + (separator === undefined ? 0 : 1));
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const offsets = new Int32Array(states.length + 1);
    const out = new Growing();
    out.reserve(Math.min(states.length * widest, 1 << 24));
    for (let i = 0; i < states.length; i++) {
      out.reserve(widest);
      const state = states[i]!;
      const length = min + integerBelow(state, span);
      const { data } = out;
      let at = out.end;
      // Two pieces a word: 16 bits choose evenly enough among few pieces.
      for (let n = 0, random = 0; n < length; n++) {
        random = (n & 1) === 0 ? word(state, 2 + (n >> 1)) : random >>> 16;
        if (separator !== undefined && n > 0) data[at++] = separator;
        at = pieces.put(((random & 0xffff) * pieces.count) >>> 16, data, at);
      }
      out.end = at;
      offsets[i + 1] = at;
    }
    return { layout: 'varlen', offsets, data: out.data.subarray(0, out.end) };
  };
}

export function textLayout(spec: Spec<'text'>): MakeLayout {
  return piecedLayout(new Pieces([...spec.alphabet]), spec.min, spec.max, undefined);
}

export function wordsLayout(spec: Spec<'words'>): MakeLayout {
  return piecedLayout(new Pieces(WORDS), spec.min, spec.max, 0x20);
}

export function bytesLayout(spec: Spec<'bytes'>): MakeLayout {
  const span = spec.max - spec.min + 1;
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const offsets = new Int32Array(states.length + 1);
    const out = new Growing();
    for (let i = 0; i < states.length; i++) {
      const state = states[i]!;
      const length = spec.min + integerBelow(state, span);
      out.reserve(length);
      for (let n = 0; n < length; n++) out.data[out.end++] = word(state, 2 + (n >> 2)) >>> ((n & 3) * 8);
      offsets[i + 1] = out.end;
    }
    return { layout: 'varlen', offsets, data: out.data.subarray(0, out.end) };
  };
}

/** One of a few texts, evenly or by weight. */
export function pickLayout(values: readonly string[], weights?: readonly number[]): MakeLayout {
  const pieces = new Pieces(values);
  const limits = cumulative(weights ?? values.map(() => 1));
  return (cells, key): Layout => {
    const states = keyedStates(cells, key);
    const offsets = new Int32Array(states.length + 1);
    const data = new Uint8Array(states.length * pieces.longest);
    let at = 0;
    for (let i = 0; i < states.length; i++) {
      at = pieces.put(chosen(limits, fraction(states[i]!)), data, at);
      offsets[i + 1] = at;
    }
    return { layout: 'varlen', offsets, data: data.subarray(0, at) };
  };
}

/** Upper ends of the shares of [0, 1) that weights stand for. */
function cumulative(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const limits = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]! / total;
    limits[i] = sum;
  }
  return limits;
}

/** The first share that reaches beyond `at`; rounding may leave the last one a hair short of 1. */
function chosen(limits: Float64Array, at: number): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
