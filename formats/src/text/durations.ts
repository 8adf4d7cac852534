/** Intervals and durations as ISO 8601 text: `P14M3DT4.5S`, `PT93784.25S`. */
import { type Interval, type TimeUnit, unitsPerSecond } from '@sluice/sdk';

const PART = '([+-]?\\d+)';
const INTERVAL = new RegExp(
  `^([+-]?)P(?:${PART}Y)?(?:${PART}M)?(?:${PART}W)?(?:${PART}D)?` +
    `(?:T(?:${PART}H)?(?:${PART}M)?(?:([+-]?)(\\d+)(?:[.,](\\d{1,9}))?S)?)?$`,
);
const INT32 = 2 ** 31;
const INT64 = 2n ** 63n;

/** Months, days and seconds, each with its own sign; `PT0S` when all are zero. */
export function formatInterval({ months, days, nanos }: Interval): string {
  const date = `${months === 0 ? '' : `${months}M`}${days === 0 ? '' : `${days}D`}`;
  const time = nanos === 0n && date !== '' ? '' : `T${secondsText(nanos, 1_000_000_000n)}S`;
  return `P${date}${time}`;
}

/** Seconds, with as many digits of the fraction as are not zero. */
export function formatDuration(units: bigint, unit: TimeUnit): string {
  return `PT${secondsText(units, unitsPerSecond(unit))}S`;
}

function secondsText(units: bigint, perSecond: bigint): string {
  const size = units < 0n ? -units : units;
  const digits = perSecond.toString().length - 1;
  const fraction = (size % perSecond).toString().padStart(digits, '0').replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${size / perSecond}${fraction === '' ? '' : `.${fraction}`}`;
}

/** An interval from ISO 8601 text, years and weeks too; undefined when it is none or does not fit. */
export function parseInterval(text: string): Interval | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  const { months, days, nanos } = parsed;
  const fits = Math.abs(months) < INT32 && Math.abs(days) < INT32 && nanos < INT64 && nanos >= -INT64;
  return fits ? parsed : undefined;
}

/** A duration from ISO 8601 text; undefined with years or months in it, or digits that the unit does not hold. */
export function parseDuration(text: string, unit: TimeUnit): bigint | undefined {
  const parsed = parse(text);
  if (parsed === undefined || parsed.months !== 0) return undefined;
  const nanos = BigInt(parsed.days) * 86_400n * 1_000_000_000n + parsed.nanos;
  const size = 1_000_000_000n / unitsPerSecond(unit);
  if (nanos % size !== 0n) return undefined;
  const units = nanos / size;
  return BigInt.asIntN(64, units) === units ? units : undefined;
}

function parse(text: string): Interval | undefined {
  const match = INTERVAL.exec(text);
  if (!match || /[PT]$/.test(text)) return undefined;
  const sign = match[1] === '-' ? -1 : 1;
  const [years, months, weeks, days] = [2, 3, 4, 5].map((i) => Number(match[i] ?? 0));
  const clock = BigInt(match[6] ?? 0) * 3600n + BigInt(match[7] ?? 0) * 60n;
  const fraction = BigInt((match[10] ?? '').padEnd(9, '0'));
  const seconds = BigInt(match[9] ?? 0) * 1_000_000_000n + fraction;
  const nanos = BigInt(sign) * (clock * 1_000_000_000n + (match[8] === '-' ? -seconds : seconds));
  // Adding zero makes a minus zero plain.
  return { months: sign * (years! * 12 + months!) + 0, days: sign * (weeks! * 7 + days!) + 0, nanos };
}
