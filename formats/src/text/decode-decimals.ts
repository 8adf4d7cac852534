/** Decimals and floats from cells. Decimals never pass through a float that could round them. */
import {
  DECIMAL64_DIGITS,
  DECIMAL128_DIGITS,
  type Field,
  fitsPrecision,
  formatDecimal,
  parseDecimal,
  writeInt128,
} from '@sluice/sdk';
import { type CellDecoder, isNumberSpecial, requireValues } from './cell-decoder.js';
import { type CellTable, NULL } from './cells.js';
import { storeSafe } from './int64-halves.js';
import { Nulls } from './nulls.js';
import { textBuilder } from './text-builder.js';

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
/** Digits that an exponent may stand for: beyond this a few characters would become a text of megabytes. */
const MOST_DIGITS = 20_000;
/** Powers that a float holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Decimals, of the layout that their precision asks for. */
export function decimals(field: Field, precision: number | undefined, scale: number): CellDecoder {
  if (precision === undefined || precision > DECIMAL128_DIGITS) return textDecimals(field, precision, scale);
  return precision <= DECIMAL64_DIGITS
    ? decimals64(field, precision, scale)
    : decimals128(field, precision, scale);
}

function decimals64(field: Field, precision: number, scale: number): CellDecoder {
  const limit = precision <= 15 ? POWERS[precision]! : Number.POSITIVE_INFINITY;
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const memory = new ArrayBuffer((to - from) * 8);
    const halves = new Int32Array(memory);
    const values = new BigInt64Array(memory);
    const nulls = new Nulls(to - from);
    const { bytes, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const value = unscaledAt(bytes, start >> 2, ends[base + row]!, scale);
      if (value < limit && value > -limit) {
        storeSafe(halves, row - from, value);
      } else {
        const slow = slowDecimal(table, row, column, precision, scale);
        if (typeof slow === 'string') nulls.markSpecial(row - from, slow);
        else values[row - from] = slow;
      }
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

/**
 * The decimal in `bytes[p .. end]` as value × 10^scale where that stays below 2^53 and is written plainly, with no
 * more digits than the scale; else NaN.
 */
function unscaledAt(bytes: Uint8Array, p: number, end: number, scale: number): number {
  const first = bytes[p];
  if (first === MINUS || first === PLUS) p++;
  if (end - p > 16) return Number.NaN;
  let value = 0;
  let digits = 0;
  let point = end;
  for (; p < end; p++) {
    const digit = bytes[p]! - ZERO;
    if (digit >>> 0 <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (digit === POINT - ZERO && point === end) {
      point = p + 1;
    } else {
      return Number.NaN;
    }
  }
  const missing = scale - (end - point);
  if (missing < 0 || digits === 0 || digits + missing > 15) return Number.NaN;
  value *= POWERS[missing]!;
  return first === MINUS ? -value : value;
}

/** The unscaled value, or the text of a special one. */
function slowDecimal(
  table: CellTable,
  row: number,
  column: number,
  precision: number,
  scale: number,
): bigint | string {
  const text = table.textOf(row, column);
  const value = /\s/.test(text) ? undefined : parseDecimal(text, scale);
  if (value !== undefined && fitsPrecision(value, precision)) return value;
  if (isNumberSpecial(text)) return text;
  const why = value === undefined ? undefined : `more than ${precision} digits`;
  throw table.owner.badValue(table, row, column, text, why);
}

function decimals128(field: Field, precision: number, scale: number): CellDecoder {
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const memory = new ArrayBuffer((to - from) * 16);
    const halves = new Int32Array(memory);
    const values = new Uint8Array(memory);
    const nulls = new Nulls(to - from);
    const { bytes, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const at = row - from;
      const value = unscaledAt(bytes, start >> 2, ends[base + row]!, scale);
      if (!Number.isNaN(value)) {
        storeSafe(halves, at * 2, value);
        if (value < 0) halves.fill(-1, at * 4 + 2, at * 4 + 4);
      } else {
        const slow = slowDecimal(table, row, column, precision, scale);
        if (typeof slow === 'string') nulls.markSpecial(at, slow);
        else writeInt128(values, at * 16, slow);
      }
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'bytes', width: 16, values });
  };
}

/** Decimals without bound, or of more than 38 digits: plain notation as text. */
function textDecimals(field: Field, precision: number | undefined, scale: number): CellDecoder {
  const plain =
    precision === undefined
      ? /^-?\d+(\.\d+)?$/
      : new RegExp(scale > 0 ? `^-?\\d+\\.\\d{${scale}}$` : '^-?\\d+$');
  return (table, column, from, to) => {
    const nulls = new Nulls(to - from);
    const texts = textBuilder(to - from);
    for (let row = from; row < to; row++) {
      if (table.kindOf(row, column) === NULL) {
        nulls.mark(row - from);
        texts.append('');
        continue;
      }
      const text = table.textOf(row, column);
      const within = precision === undefined || text.length <= precision;
      const kept = within && plain.test(text) ? text : plainDecimal(text, precision, scale);
      if (kept === undefined) {
        if (!isNumberSpecial(text)) throw table.owner.badValue(table, row, column, text);
        nulls.markSpecial(row - from, text);
      }
      texts.append(kept ?? '');
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column(texts.finish());
  };
}

/** Plain notation of a decimal written otherwise (`+1`, `.5`, `1e3`); undefined when it is none or does not fit. */
function plainDecimal(text: string, precision: number | undefined, scale: number): string | undefined {
  const match = /^[+-]?\d*(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const needed =
    precision === undefined ? Math.max(0, (match[1]?.length ?? 0) - Number(match[2] ?? 0)) : scale;
  if (Math.max(needed, Number(match[2] ?? 0)) > MOST_DIGITS) return undefined;
  const value = parseDecimal(text, needed);
  if (value === undefined || (precision !== undefined && !fitsPrecision(value, precision))) return undefined;
  return formatDecimal(value, needed);
}

/** Floats. NaN and the infinities are values. */
export function floats(field: Field, bits: 32 | 64): CellDecoder {
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const values = bits === 64 ? new Float64Array(to - from) : new Float32Array(to - from);
    const nulls = new Nulls(to - from);
    const { bytes, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const value = floatAt(bytes, start >> 2, ends[base + row]!);
      values[row - from] = Number.isNaN(value) ? slowFloat(table, row, column) : value;
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

/**
 * A plainly written float of up to 15 digits, else NaN. Exact: the digits and the power of ten (at most 10^22) are
 * both floats without error, so one division rounds once, as IEEE 754 asks.
 */
function floatAt(bytes: Uint8Array, p: number, end: number): number {
  const first = bytes[p];
  if (first === MINUS || first === PLUS) p++;
  if (end - p > 16) return Number.NaN;
  let value = 0;
  let digits = 0;
  let point = end;
  for (; p < end; p++) {
    const digit = bytes[p]! - ZERO;
    if (digit >>> 0 <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (digit === POINT - ZERO && point === end) {
      point = p + 1;
    } else {
      return Number.NaN;
    }
  }
  if (digits === 0 || digits > 15) return Number.NaN;
  value /= POWERS[end - point]!;
  return first === MINUS ? -value : value;
}

function slowFloat(table: CellTable, row: number, column: number): number {
  const text = table.textOf(row, column);
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?inf(inity)?$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  throw table.owner.badValue(table, row, column, text);
}
