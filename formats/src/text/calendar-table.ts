/**
 * Fast reading of ISO 8601 digits: tables instead of arithmetic, covering the years in which a timestamp in
 * microseconds stays below 2^53. Everything else goes the slow way through the SDK's parsers.
 */
import { daysFromCivil } from '@sluice/sdk';

const FIRST_YEAR = 1700;
const LAST_YEAR = 2250;

/** Day numbers of the first of each month, from January 1700 on, and one more. */
const MONTH_STARTS = Int32Array.from({ length: (LAST_YEAR - FIRST_YEAR + 1) * 12 + 1 }, (_, i) =>
  daysFromCivil(FIRST_YEAR + Math.floor(i / 12), (i % 12) + 1, 1),
);

/**
 * The number that two digits make, by the 16-bit little-endian word in which they stand, or −1. Digits touch ten
 * cache lines of it only.
 */
export const TWO_DIGITS: Int8Array = new Int8Array(65_536).fill(-1);
for (let tens = 0; tens < 10; tens++) {
  for (let ones = 0; ones < 10; ones++) TWO_DIGITS[0x3030 + tens + (ones << 8)] = tens * 10 + ones;
}

const HYPHEN = 0x2d;
const COLON = 0x3a;

/** Day number of the `YYYY-MM-DD` at `p`; NaN when it is none or lies outside the table. */
export function dayAt(view: DataView, p: number): number {
  const century = TWO_DIGITS[view.getUint16(p, true)]!;
  const year = TWO_DIGITS[view.getUint16(p + 2, true)]!;
  const month = TWO_DIGITS[view.getUint16(p + 5, true)]!;
  const day = TWO_DIGITS[view.getUint16(p + 8, true)]!;
  if ((century | year) < 0 || view.getUint8(p + 4) !== HYPHEN || view.getUint8(p + 7) !== HYPHEN)
    return Number.NaN;
  const at = (century * 100 + year - FIRST_YEAR) * 12 + month - 1;
  if (at < 0 || at >= MONTH_STARTS.length - 1 || month < 1 || month > 12) return Number.NaN;
  const start = MONTH_STARTS[at]!;
  return day >= 1 && day <= MONTH_STARTS[at + 1]! - start ? start + day - 1 : Number.NaN;
}

/** Second of the day of the `HH:MM:SS` at `p`, below 24:00:00; NaN when it is none. */
export function secondAt(view: DataView, p: number): number {
  const hour = TWO_DIGITS[view.getUint16(p, true)]!;
  const minute = TWO_DIGITS[view.getUint16(p + 3, true)]!;
  const second = TWO_DIGITS[view.getUint16(p + 6, true)]!;
  if ((hour | minute | second) < 0 || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  if (view.getUint8(p + 2) !== COLON || view.getUint8(p + 5) !== COLON) return Number.NaN;
  return hour * 3600 + minute * 60 + second;
}
