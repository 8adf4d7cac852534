/** Bringing integers at different scales together. */
import { powerOfTen } from '@sluice/sdk';
import type { Integers, Numbers, Vector } from './vector.js';

export type Scaled = Numbers | Integers;

export const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export function scaled(vector: Vector): Scaled {
  const { data } = vector;
  if (data.kind !== 'numbers' && data.kind !== 'integers')
    throw new TypeError(`expected numbers, found ${data.kind}`);
  return data;
}

export function toIntegers(data: Scaled): Integers {
  if (data.kind === 'integers') return data;
  return { kind: 'integers', values: Array.from(data.values, (n) => BigInt(n)), scale: data.scale };
}

export function scaleAt(data: Scaled, row: number): number {
  return typeof data.scale === 'number' ? data.scale : data.scale[row]!;
}

/** Both operands at one scale: doubles where they stay safe, else bigints (with a scale per row where one has). */
export function aligned(a: Scaled, b: Scaled): { a: Numbers; b: Numbers } | { a: Integers; b: Integers } {
  if (a.kind === 'numbers' && b.kind === 'numbers') {
    const scale = Math.max(a.scale, b.scale);
    const left = rescaleNumbers(a, scale);
    const right = rescaleNumbers(b, scale);
    if (left && right) return { a: left, b: right };
  }
  const left = toIntegers(a);
  const right = toIntegers(b);
  if (typeof left.scale === 'number' && typeof right.scale === 'number') {
    const scale = Math.max(left.scale, right.scale);
    return { a: rescaleIntegers(left, scale), b: rescaleIntegers(right, scale) };
  }
  const scale = new Int32Array(left.values.length);
  for (let i = 0; i < scale.length; i++) scale[i] = Math.max(scaleAt(left, i), scaleAt(right, i));
  return { a: rescaleIntegers(left, scale), b: rescaleIntegers(right, scale) };
}

/** Undefined when a value would not be safe. */
function rescaleNumbers(data: Numbers, scale: number): Numbers | undefined {
  if (data.scale === scale) return data;
  const factor = 10 ** (scale - data.scale);
  if (factor > MAX_SAFE) return undefined;
  const values = new Float64Array(data.values.length);
  let widest = 0;
  for (let i = 0; i < values.length; i++) {
    const n = data.values[i]! * factor;
    values[i] = n;
    const size = Math.abs(n);
    if (size > widest) widest = size;
  }
  return widest <= MAX_SAFE ? { kind: 'numbers', values, scale } : undefined;
}

/** To a scale that is nowhere smaller. */
function rescaleIntegers(data: Integers, scale: number | Int32Array): Integers {
  if (data.scale === scale) return data;
  const values: bigint[] = new Array(data.values.length);
  for (let i = 0; i < values.length; i++) {
    const to = typeof scale === 'number' ? scale : scale[i]!;
    values[i] = data.values[i]! * powerOfTen(to - scaleAt(data, i));
  }
  return { kind: 'integers', values, scale };
}

/** Whether every number is a safe integer; one pass, no branch per value. */
export function allSafe(values: Float64Array): boolean {
  let widest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > widest) widest = size;
  }
  return widest <= MAX_SAFE;
}

/** `numerator / denominator`, rounded half away from zero. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  if (twice < (denominator < 0n ? -denominator : denominator)) return quotient;
  return numerator < 0n !== denominator < 0n ? quotient - 1n : quotient + 1n;
}
