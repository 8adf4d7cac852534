/**
 * The values of a leaf without the nulls between them, in the few shapes that pages, dictionaries and statistics
 * are made from. Fixed widths are all 32-bit words here (1, 2 or 4 a value), so that one loop serves integers,
 * floats, decimals and UUIDs, and no 64-bit value becomes a bigint.
 */
import { type Column, type FixedArray, getBit, type Layout } from '@sluice/sdk';
import type { LeafForm } from './schema-write.js';

export type Dense =
  | { readonly kind: 'none'; readonly count: number }
  /** One byte a value, 0 or 1. */
  | { readonly kind: 'bools'; readonly count: number; readonly bools: Uint8Array }
  /** Value i is `words[i * width ..]`, little endian. */
  | { readonly kind: 'words'; readonly count: number; readonly width: number; readonly words: Uint32Array }
  /** Value i is `data[offsets[i] .. offsets[i + 1]]`. */
  | {
      readonly kind: 'varlen';
      readonly count: number;
      readonly offsets: Int32Array;
      readonly data: Uint8Array;
    };

/** Which slots of a column: `count` from `from` on, or those listed. */
export interface Selection {
  readonly from: number;
  readonly count: number;
  readonly slots?: Int32Array;
}

/** The selected slots of a column, as the form of its leaf wants them. Shares memory where it can. */
export function denseOf(column: Column, form: LeafForm, selection: Selection): Dense {
  const { data } = column;
  const { count } = selection;
  switch (data.layout) {
    case 'bits':
      return { kind: 'bools', count, bools: boolsOf(data.values, selection) };
    case 'varlen':
      return varlenOf(data, selection);
    case 'bytes': {
      const words = pick(wordView(data.values), 4, selection);
      return { kind: 'words', count, width: 4, words: form === 'decimal128' ? reversed(words) : words };
    }
    case 'fixed':
      return fixedOf(data.values, form, selection);
    default:
      return { kind: 'none', count: 0 };
  }
}

/** Values `from` up to `to` of dense ones. */
export function sliceDense(dense: Dense, from: number, to: number): Dense {
  const count = to - from;
  switch (dense.kind) {
    case 'none':
      return { kind: 'none', count };
    case 'bools':
      return { kind: 'bools', count, bools: dense.bools.subarray(from, to) };
    case 'words':
      return { ...dense, count, words: dense.words.subarray(from * dense.width, to * dense.width) };
    case 'varlen':
      return { ...dense, count, offsets: dense.offsets.subarray(from, to + 1) };
  }
}

/** Bytes that the values take in PLAIN encoding. */
export function plainSize(dense: Dense): number {
  switch (dense.kind) {
    case 'none':
      return 0;
    case 'bools':
      return (dense.count + 7) >> 3;
    case 'words':
      return dense.count * dense.width * 4;
    case 'varlen':
      return dense.count * 4 + dense.offsets[dense.count]! - dense.offsets[0]!;
  }
}

function boolsOf(bits: Uint8Array, { from, count, slots }: Selection): Uint8Array {
  const bools = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = slots === undefined ? from + i : slots[i]!;
    bools[i] = (bits[at >> 3]! >> (at & 7)) & 1;
  }
  return bools;
}

function fixedOf(values: FixedArray, form: LeafForm, selection: Selection): Dense {
  const { count } = selection;
  if (form === 'narrow') {
    // An Int32Array takes each narrower value by its number, which widens signed and unsigned ones alike.
    const wide = new Int32Array(count);
    const { from, slots } = selection;
    if (slots === undefined) wide.set((values as Int8Array).subarray(from, from + count));
    else for (let i = 0; i < count; i++) wide[i] = (values as Int8Array)[slots[i]!]!;
    return { kind: 'words', count, width: 1, words: new Uint32Array(wide.buffer) };
  }
  const width = values.BYTES_PER_ELEMENT >> 2;
  const view = new Uint32Array(values.buffer, values.byteOffset, values.length * width);
  const words = pick(view, width, selection);
  return form === 'decimal32' ? lowWords(words) : { kind: 'words', count, width, words };
}

/** The low halves of 64-bit values that fit 32 bits. */
function lowWords(words: Uint32Array): Dense {
  const count = words.length >> 1;
  const low = new Uint32Array(count);
  for (let i = 0; i < count; i++) low[i] = words[2 * i]!;
  return { kind: 'words', count, width: 1, words: low };
}

/** Buffers of 16-byte values may start anywhere; words need a multiple of four. */
function wordView(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

function pick(words: Uint32Array, width: number, { from, count, slots }: Selection): Uint32Array {
  if (slots === undefined) return words.subarray(from * width, (from + count) * width);
  const picked = new Uint32Array(count * width);
  if (width === 1) for (let i = 0; i < count; i++) picked[i] = words[slots[i]!]!;
  else {
    for (let i = 0, to = 0; i < count; i++) {
      const start = slots[i]! * width;
      for (let w = 0; w < width; w++) picked[to++] = words[start + w]!;
    }
  }
  return picked;
}

/** Each 16-byte value with its bytes in the opposite order. */
function reversed(words: Uint32Array): Uint32Array {
  const turned = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i += 4) {
    for (let w = 0; w < 4; w++) turned[i + w] = swapBytes(words[i + 3 - w]!);
  }
  return turned;
}

export function swapBytes(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * Nulls have empty ranges, so the selected values usually follow each other in the data and only their offsets
 * are picked. Where something lies between (a column made by other code), the data is copied together.
 */
function varlenOf(data: Layout & { layout: 'varlen' }, { from, count, slots }: Selection): Dense {
  const { offsets } = data;
  if (slots === undefined) {
    return { kind: 'varlen', count, offsets: offsets.subarray(from, from + count + 1), data: data.data };
  }
  const picked = new Int32Array(count + 1);
  let adjoining = true;
  let end = count === 0 ? 0 : offsets[slots[0]!]!;
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    picked[i] = offsets[slot]!;
    if (picked[i] !== end) adjoining = false;
    end = offsets[slot + 1]!;
  }
  picked[count] = end;
  if (adjoining) return { kind: 'varlen', count, offsets: picked, data: data.data };
  return gathered(offsets, data.data, slots, count);
}

function gathered(offsets: Int32Array, data: Uint8Array, slots: Int32Array, count: number): Dense {
  const picked = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) picked[i + 1] = picked[i]! + offsets[slots[i]! + 1]! - offsets[slots[i]!]!;
  const bytes = new Uint8Array(picked[count]!);
  for (let i = 0; i < count; i++)
    bytes.set(data.subarray(offsets[slots[i]!]!, offsets[slots[i]! + 1]!), picked[i]!);
  return { kind: 'varlen', count, offsets: picked, data: bytes };
}

/** Whether the bits `from` up to `to` of a bitmap are all set. */
export function allSet(bits: Uint8Array, from: number, to: number): boolean {
  let i = from;
  for (; i < to && (i & 7) !== 0; i++) if (!getBit(bits, i)) return false;
  for (; i + 8 <= to; i += 8) if (bits[i >> 3] !== 0xff) return false;
  for (; i < to; i++) if (!getBit(bits, i)) return false;
  return true;
}
