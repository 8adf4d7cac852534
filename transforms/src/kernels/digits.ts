/** Integers and decimals as text, without a string or bigint a row. */
import { TextBuilder, textOf } from './text-build.js';
import type { Text } from './vector.js';

/** Decimal digits of integers and decimals, written as bytes: `-12.30` for -1230 at scale 2. */
export function digitsOf(values: Float64Array, scale: number): Text {
  const builder = new TextBuilder(values.length * 12);
  const bounds = new Int32Array(values.length + 1);
  const digits = new Uint8Array(24 + scale);
  for (let i = 0; i < values.length; i++) {
    builder.reserve(32 + scale);
    let n = Math.abs(values[i]!);
    let count = 0;
    // Above 2^31 by doubles, below by 32-bit integers, whose division is a multiplication
    while (n > 0x7fffffff) {
      const rest = Math.floor(n / 10);
      digits[count++] = n - rest * 10;
      n = rest;
    }
    let small = n | 0;
    do {
      const rest = (small / 10) | 0;
      digits[count++] = small - rest * 10;
      small = rest;
    } while (small > 0);
    while (count <= scale) digits[count++] = 0;
    if (values[i]! < 0) builder.bytes[builder.at++] = 0x2d;
    while (count > 0) {
      if (count === scale) builder.bytes[builder.at++] = 0x2e;
      builder.bytes[builder.at++] = 0x30 + digits[--count]!;
    }
    bounds[i + 1] = builder.at;
  }
  return textOf(builder, bounds);
}
