/** Unbounded decimals: from their text to integers at a scale, and back to one canonical text. */
import { formatDecimal, powerOfTen } from '@sluice/sdk';
import type { Integers, Numbers, Text } from './vector.js';

/** More digits than this may not be safe in a double. */
const SAFE_DIGITS = 15;
const MINUS = 0x2d;
const POINT = 0x2e;

/** Plain decimal texts as numbers of one scale when all of a batch are short, else as bigints with a scale each. */
export function decimalTexts(text: Text): Numbers | Integers {
  return shortDecimals(text) ?? longDecimals(text);
}

/** Undefined when a text is long or in another notation. An empty text, which null rows have, counts as 0. */
export function shortDecimals({ bytes, start, end }: Text): Numbers | undefined {
  const values = new Float64Array(start.length);
  const scales = new Uint8Array(start.length);
  let widest = 0;
  for (let i = 0; i < start.length; i++) {
    const to = end[i]!;
    let at = start[i]!;
    if (to - at > SAFE_DIGITS + 2) return undefined;
    const negative = at < to && bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let n = 0;
    let point = -1;
    for (; at < to; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit >= 0 && digit <= 9) n = n * 10 + digit;
      else if (bytes[at] === POINT && point < 0 && at > first) point = at;
      else return undefined;
    }
    const digits = to - first - (point >= 0 ? 1 : 0);
    if (digits > SAFE_DIGITS || (digits === 0 && negative)) return undefined;
    values[i] = negative && n !== 0 ? -n : n;
    if (point >= 0) {
      scales[i] = to - point - 1;
      if (scales[i]! > widest) widest = scales[i]!;
    }
  }
  return alignShort(values, scales, widest);
}

function alignShort(values: Float64Array, scales: Uint8Array, scale: number): Numbers | undefined {
  if (scale > 0) {
    for (let i = 0; i < values.length; i++) {
      const aligned = values[i]! * 10 ** (scale - scales[i]!);
      if (Math.abs(aligned) > Number.MAX_SAFE_INTEGER) return undefined;
      values[i] = aligned;
    }
  }
  return { kind: 'numbers', values, scale };
}

function longDecimals({ bytes, start, end }: Text): Integers {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: bigint[] = new Array(start.length);
  const scale = new Int32Array(start.length);
  for (let i = 0; i < values.length; i++) {
    const written = buffer.toString('latin1', start[i]!, end[i]!);
    const point = written.indexOf('.');
    values[i] = BigInt(point < 0 ? written : written.slice(0, point) + written.slice(point + 1));
    scale[i] = point < 0 ? 0 : written.length - point - 1;
  }
  return { kind: 'integers', values, scale };
}

/**
 * The text of a computed unbounded decimal, without zeros at the end of its fraction: what is computed together
 * in a batch must not show in the result.
 */
export function canonicalDecimal(unscaled: bigint, scale: number): string {
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale--;
  }
  return scale < 0 ? (unscaled * powerOfTen(-scale)).toString() : formatDecimal(unscaled, scale);
}

/** Digits before and behind the point that a decimal read from text may have. */
const MAX_EXPONENT = 20_000;

/** A decimal written in plain or scientific notation; undefined when the text is none. */
export function readDecimal(text: string): { unscaled: bigint; scale: number } | undefined {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?\s*$/.exec(text);
  if (!match) return undefined;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole.length + fraction.length === 0) return undefined;
  const scale = fraction.length - Number(match[4] ?? 0);
  if (Math.abs(scale) > MAX_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction);
  const unscaled = match[1] === '-' ? -digits : digits;
  return scale < 0 ? { unscaled: unscaled * powerOfTen(-scale), scale: 0 } : { unscaled, scale };
}
