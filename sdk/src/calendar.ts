/**
 * Dates, times and timestamps as integers and ISO 8601 text, in the proleptic Gregorian calendar and without
 * JavaScript's `Date`. Day conversions follow the usual era arithmetic (400-year cycles of 146,097 days).
 */
import type { TimeUnit } from './types.js';

const DAY_SECONDS = 86_400n;

/** Units in a second. */
export function unitsPerSecond(unit: TimeUnit): bigint {
  return unit === 'us' ? 1_000_000n : 1_000_000_000n;
}

/** Days since 1970-01-01 of a civil date; year 0 is 1 BC. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The civil date of a day number. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function pad(n: number, width: number): string {
  return n.toString().padStart(width, '0');
}

/** `2024-02-29`; years beyond 0–9999 get a sign and six digits, as ISO 8601 extends them. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const y = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
  return `${y}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** Day number of `2024-02-29` (or `±YYYYYY-MM-DD`); undefined when the text is no such date. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1) return undefined;
  const days = daysFromCivil(year, month, day);
  return civilFromDays(days).day === day ? days : undefined;
}

/** `13:45:00`, with as many digits of the fraction as are not zero. */
export function formatTime(units: bigint, unit: TimeUnit): string {
  const perSecond = unitsPerSecond(unit);
  const seconds = Number(units / perSecond);
  const fraction = units % perSecond;
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  if (fraction === 0n) return clock;
  return `${clock}.${fraction
    .toString()
    .padStart(unit === 'us' ? 6 : 9, '0')
    .replace(/0+$/, '')}`;
}

/** Units since midnight of `13:45[:00[.123456]]` up to `24:00:00`; undefined when the text is no such time. */
export function parseTime(text: string, unit: TimeUnit): bigint | undefined {
  const match = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (hours > 24 || minutes > 59 || seconds > 59) return undefined;
  const digits = unit === 'us' ? 6 : 9;
  const written = match[4] ?? '';
  if (written.length > digits && /[1-9]/.test(written.slice(digits))) return undefined;
  const fraction = BigInt(written.slice(0, digits).padEnd(digits, '0'));
  const total = BigInt(hours * 3600 + minutes * 60 + seconds) * unitsPerSecond(unit) + fraction;
  return total > DAY_SECONDS * unitsPerSecond(unit) ? undefined : total;
}

/** `2024-02-29T13:45:00.5Z` for zone utc, without the `Z` for none. */
export function formatTimestamp(units: bigint, unit: TimeUnit, zone: 'utc' | 'none'): string {
  const perDay = DAY_SECONDS * unitsPerSecond(unit);
  let days = units / perDay;
  let rest = units % perDay;
  if (rest < 0n) {
    days -= 1n;
    rest += perDay;
  }
  return `${formatDate(Number(days))}T${formatTime(rest, unit)}${zone === 'utc' ? 'Z' : ''}`;
}

/**
 * Parses ISO 8601 with `T` or a space between date and time. With zone `utc` an offset (`Z`, `+02`, `+02:00`,
 * `+0200`) is required and taken off; with `none` it is refused. Undefined when the text is no such timestamp.
 */
export function parseTimestamp(text: string, unit: TimeUnit, zone: 'utc' | 'none'): bigint | undefined {
  const parsed = parseOffsetTimestamp(text, unit);
  if (parsed === undefined || (parsed.offset === undefined) !== (zone === 'none')) return undefined;
  return parsed.at;
}

/** As {@link parseTimestamp}, keeping the offset in minutes east; `offset` is undefined where none is written. */
export function parseOffsetTimestamp(
  text: string,
  unit: TimeUnit,
): { at: bigint; offset: number | undefined } | undefined {
  const match =
    /^([+-]?\d{4,6}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const days = parseDate(match[1]!);
  const timeOfDay = parseTime(match[2]!, unit);
  if (days === undefined || timeOfDay === undefined) return undefined;
  const local = BigInt(days) * DAY_SECONDS * unitsPerSecond(unit) + timeOfDay;
  const zone = match[3];
  if (zone === undefined) return { at: local, offset: undefined };
  if (zone === 'Z' || zone === 'z') return { at: local, offset: 0 };
  const digits = zone.slice(1).replace(':', '');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2) || 0)];
  if (hours > 23 || minutes > 59) return undefined;
  const east = hours * 60 + minutes;
  const offset = zone[0] === '-' ? 0 - east : east;
  return { at: local - BigInt(offset) * 60n * unitsPerSecond(unit), offset };
}
