/** Columns of fixed width, built straight as typed arrays. */
import {
  bitmapBytes,
  type Column,
  type FixedArray,
  formatDecimal,
  type Layout,
  parseDate,
  parseTimestamp,
  setBit,
  writeInt128,
} from '@sluice/sdk';
import { type ColumnSpec, decimalBounds, intBounds } from './column-spec.js';
import { type Cells, fraction, integerBelow, keyedStates, word } from './random.js';

type Spec<T extends ColumnSpec['type']> = Extract<ColumnSpec, { type: T }>;
export type MakeLayout = (cells: Cells, key: number) => Layout;

const DAY_US = 86_400_000_000n;

const ARRAYS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

/** 1, 2, 3, …: the row's number, scaled. */
export function sequenceLayout({ start, step }: Spec<'sequence'>): MakeLayout {
  return ({ states, first }) => {
    const values = new BigInt64Array(states.length);
    const halves = new Int32Array(values.buffer);
    for (let i = 0; i < states.length; i++) putSafeInteger(halves, i, start + step * (first + i));
    return { layout: 'fixed', values };
  };
}

export function intLayout(spec: Spec<'int'>): MakeLayout {
  const { low, high } = intBounds(spec);
  if (spec.bits === 64) return (cells, key) => integers64(cells, key, low, high, spec.signed);
  const array = ARRAYS[`${spec.signed ? 'int' : 'uint'}${spec.bits}`];
  const from = Number(low);
  const span = Number(high - low) + 1;
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = new array(states.length);
    for (let i = 0; i < values.length; i++) values[i] = from + integerBelow(states[i]!, span);
    return { layout: 'fixed', values };
  };
}

export function floatLayout(spec: Spec<'float'>): MakeLayout {
  const span = spec.max - spec.min;
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = spec.bits === 32 ? new Float32Array(states.length) : new Float64Array(states.length);
    for (let i = 0; i < values.length; i++) values[i] = spec.min + fraction(states[i]!) * span;
    return { layout: 'fixed', values };
  };
}

export function boolLayout(spec: Spec<'bool'>): MakeLayout {
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = new Uint8Array(bitmapBytes(states.length));
    for (let i = 0; i < states.length; i++) if (fraction(states[i]!) < spec.share) setBit(values, i);
    return { layout: 'bits', values };
  };
}

export function dateLayout(spec: Spec<'date'>): MakeLayout {
  const from = parseDate(spec.from)!;
  const span = parseDate(spec.to)! - from + 1;
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = new Int32Array(states.length);
    for (let i = 0; i < values.length; i++) values[i] = from + integerBelow(states[i]!, span);
    return { layout: 'fixed', values };
  };
}

export function timeLayout({ type, unit }: Spec<'time' | 'duration'>): MakeLayout {
  const day = unit === 'us' ? DAY_US : DAY_US * 1000n;
  const high = type === 'time' ? day - 1n : day * 30n;
  return (cells, key) => integers64(cells, key, 0n, high, true);
}

export function timestampLayout(spec: Spec<'timestamp'>): MakeLayout {
  const low = parseTimestamp(spec.from, spec.unit, 'utc') ?? parseTimestamp(spec.from, 'ns', 'utc')! / 1000n;
  const high = parseTimestamp(spec.to, spec.unit, 'utc') ?? parseTimestamp(spec.to, 'ns', 'utc')! / 1000n;
  const instants: MakeLayout = (cells, key) => integers64(cells, key, low, high, true);
  if (spec.zone !== 'offset') return instants;
  return (cells, key) => {
    const states = keyedStates(cells, ~key);
    const minutes = new Int16Array(states.length);
    for (let i = 0; i < minutes.length; i++) minutes[i] = (integerBelow(states[i]!, 53) - 24) * 30;
    const at: Column = { length: minutes.length, data: instants(cells, key) };
    return {
      layout: 'struct',
      children: [at, { length: minutes.length, data: { layout: 'fixed', values: minutes } }],
    };
  };
}

export function decimalLayout(spec: Spec<'decimal'>): MakeLayout {
  const { low = 0n, high = 0n } = decimalBounds(spec);
  const { precision, scale } = spec;
  if (precision === undefined || precision > 38) {
    return (cells, key) => {
      const states = keyedStates(cells, key);
      return textsOf(states.length, (i) => formatDecimal(wideInteger(states[i]!, low, high), scale));
    };
  }
  if (precision <= 18) return (cells, key) => integers64(cells, key, low, high, true);
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = new Uint8Array(states.length * 16);
    for (let i = 0; i < states.length; i++) writeInt128(values, i * 16, wideInteger(states[i]!, low, high));
    return { layout: 'bytes', width: 16, values };
  };
}

export function uuidLayout(): MakeLayout {
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const words = new Int32Array(states.length * 4);
    for (let i = 0; i < states.length; i++)
      for (let n = 0; n < 4; n++) words[i * 4 + n] = word(states[i]!, n);
    const values = new Uint8Array(words.buffer);
    // Version 4, variant 10 (RFC 9562), where the bytes of network order have them.
    for (let at = 0; at < values.length; at += 16) {
      values[at + 6] = (values[at + 6]! & 0x0f) | 0x40;
      values[at + 8] = (values[at + 8]! & 0x3f) | 0x80;
    }
    return { layout: 'bytes', width: 16, values };
  };
}

export function intervalLayout({ unit }: Spec<'interval'>): MakeLayout {
  const perMicro = unit === 'us' ? 1000n : 1n;
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const values = new Uint8Array(states.length * 16);
    const view = new DataView(values.buffer);
    for (let i = 0; i < states.length; i++) {
      view.setInt32(i * 16, integerBelow(states[i]!, 49, 0) - 24, true);
      view.setInt32(i * 16 + 4, integerBelow(states[i]!, 61, 2) - 30, true);
      const nanos = BigInt(integerBelow(states[i]!, 86_400_000_000_000, 4));
      view.setBigInt64(i * 16 + 8, (nanos / perMicro) * perMicro, true);
    }
    return { layout: 'bytes', width: 16, values };
  };
}

/** A varlen layout of texts; for the rare types that have no faster way. */
export function textsOf(length: number, text: (i: number) => string): Layout {
  const offsets = new Int32Array(length + 1);
  const parts: Buffer[] = new Array(length);
  for (let i = 0; i < length; i++) {
    parts[i] = Buffer.from(text(i));
    offsets[i + 1] = offsets[i]! + parts[i]!.length;
  }
  return { layout: 'varlen', offsets, data: Buffer.concat(parts) };
}

/** 64-bit integers between two bounds; where doubles hold them exactly, without making a BigInt each. */
function integers64(cells: Cells, key: number, low: bigint, high: bigint, signed: boolean): Layout {
  const states = keyedStates(cells, key);
  const values: FixedArray = signed ? new BigInt64Array(states.length) : new BigUint64Array(states.length);
  const span = high - low + 1n;
  if (fitsDouble(low) && fitsDouble(high) && fitsDouble(span)) {
    const halves = new Int32Array(values.buffer);
    const from = Number(low);
    const below = Number(span);
    for (let i = 0; i < states.length; i++) putSafeInteger(halves, i, from + integerBelow(states[i]!, below));
  } else {
    for (let i = 0; i < states.length; i++) values[i] = wideInteger(states[i]!, low, high);
  }
  return { layout: 'fixed', values };
}

function fitsDouble(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

/** Writes a 64-bit integer as its halves: a store of a BigInt would allocate one. */
function putSafeInteger(halves: Int32Array, at: number, value: number): void {
  halves[at * 2] = value | 0;
  halves[at * 2 + 1] = Math.floor(value / 4_294_967_296);
}

/** An integer between two bounds of any size. */
function wideInteger(state: number, low: bigint, high: bigint): bigint {
  const span = high - low + 1n;
  // One word more than the span needs, so that the remainder favours no value noticeably.
  let random = BigInt(word(state, 0) >>> 0);
  for (let n = 1, reached = 1n; reached < span; n++, reached <<= 32n) {
    random = (random << 32n) | BigInt(word(state, n) >>> 0);
  }
  return low + (random % span);
}
