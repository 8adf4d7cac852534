/** Exact decimals: text on one side, an unscaled integer (value × 10^scale) on the other. */

const POWERS: bigint[] = [1n];

/** 10^n, exactly. */
export function powerOfTen(n: number): bigint {
  for (let i = POWERS.length; i <= n; i++) POWERS.push(POWERS[i - 1]! * 10n);
  return POWERS[n]!;
}

/**
 * Parses plain notation (`-12.30`, `.5`, `7`; an exponent is read too) into an unscaled integer.
 * Undefined when the text is no finite decimal or holds more digits behind the point than `scale` can keep.
 */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?\s*$/.exec(text);
  if (!match) return undefined;
  const whole = match[2] ?? '';
  let fraction = match[3] ?? '';
  if (whole.length + fraction.length === 0) return undefined;
  const shift = fraction.length - Number(match[4] ?? 0);
  let digits = whole + fraction;
  if (shift < scale) digits += '0'.repeat(scale - shift);
  if (shift > scale) {
    const cut = shift - scale;
    fraction = cut >= digits.length ? digits : digits.slice(-cut);
    if (/[1-9]/.test(fraction)) return undefined;
    digits = cut >= digits.length ? '0' : digits.slice(0, -cut);
  }
  const unscaled = BigInt(digits);
  return match[1] === '-' ? -unscaled : unscaled;
}

/** Text of an unscaled integer with exactly `scale` digits behind the point. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Whether an unscaled integer fits `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = powerOfTen(precision);
  return unscaled < limit && unscaled > -limit;
}

/** Reads a signed 128-bit little-endian integer at `at`. */
export function readInt128(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  return (view.getBigInt64(8, true) << 64n) | view.getBigUint64(0, true);
}

/** Writes a signed 128-bit little-endian integer at `at`. */
export function writeInt128(bytes: Uint8Array, at: number, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  view.setBigUint64(0, BigInt.asUintN(64, value), true);
  view.setBigInt64(8, BigInt.asIntN(64, value >> 64n), true);
}
