/**
 * 64-bit integers without a bigint for each value: a BigInt64Array seen as pairs of 32-bit halves, low half first
 * (Node runs on little-endian machines only, and Arrow's layout is little endian too). Storing a float into an
 * Int32Array keeps its low 32 bits by the language's rules, also of negative numbers, which makes both of these exact.
 */

const HALF = 4_294_967_296;
const WORD = 65_536;

/** Stores an integer below 2^53 in value. */
export function storeSafe(halves: Int32Array, at: number, value: number): void {
  halves[2 * at] = value;
  halves[2 * at + 1] = Math.floor(value / HALF);
}

/**
 * Stores `high × 10^9 + low`, |low| < 10^9, |high| < 2^37. Returns the upper half before it was
 * cut to 32 bits: outside −2^31 … 2^31 − 1 the number does not fit a signed integer of 64 bits.
 */
export function storeBillions(halves: Int32Array, at: number, high: number, low: number): number {
  // Cut into words of 16 bits, so that no product reaches 2^53.
  const upper = Math.floor(high / WORD);
  const lower = high - upper * WORD;
  const scaled = upper * 1e9;
  const scaledUpper = Math.floor(scaled / WORD);
  const rest = (scaled - scaledUpper * WORD) * WORD + lower * 1e9 + low;
  const top = scaledUpper + Math.floor(rest / HALF);
  halves[2 * at] = rest;
  halves[2 * at + 1] = top;
  return top;
}
