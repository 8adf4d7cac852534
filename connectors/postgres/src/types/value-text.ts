/** Values as text that PostgreSQL reads back as the same value, whatever column it is put in. */
import {
  civilFromDays,
  documentText,
  formatTime,
  type Interval,
  type LogicalType,
  type OffsetTimestamp,
  Special,
  type TimeUnit,
  unitsPerSecond,
  type Value,
} from '@sluice/sdk';

/** The text of a value that is neither null nor UNCHANGED. */
export function valueText(type: LogicalType, value: Value): string {
  if (value instanceof Special) return value.text;
  switch (type.kind) {
    case 'bool':
      return value ? 't' : 'f';
    case 'float':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bytes':
      return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`;
    case 'date':
      return dateText(value as number);
    case 'time':
      return timeText(value as bigint, type.unit);
    case 'timestamp':
      return type.zone === 'offset'
        ? timestampText((value as OffsetTimestamp).at, type.unit, 'utc')
        : timestampText(value as bigint, type.unit, type.zone);
    case 'interval':
      return intervalText(value as Interval);
    case 'duration':
      return durationText(value as bigint, type.unit);
    case 'list':
      return listText(type.item.type, value as readonly Value[]);
    case 'struct':
    case 'map':
    case 'union':
      return documentText(type, value);
    default:
      return String(value);
  }
}

function pad(n: number, width: number): string {
  return n.toString().padStart(width, '0');
}

/** `0044-03-15 BC`: there is no year 0, and years may have more than four digits. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const shown = year > 0 ? year : 1 - year;
  return `${pad(shown, 4)}-${pad(month, 2)}-${pad(day, 2)}${year > 0 ? '' : ' BC'}`;
}

/** Microseconds are what PostgreSQL has; finer digits are cut off. */
function timeText(units: bigint, unit: TimeUnit): string {
  return formatTime(unit === 'ns' ? units / 1000n : units, 'us');
}

/** `0044-03-15 12:00:00.5+00 BC`; without the offset for zone none. */
export function timestampText(units: bigint, unit: TimeUnit, zone: 'utc' | 'none'): string {
  const perDay = 86_400n * unitsPerSecond(unit);
  const days = floorDivide(units, perDay);
  const clock = ` ${timeText(units - days * perDay, unit)}${zone === 'utc' ? '+00' : ''}`;
  return withEra(dateText(Number(days)), clock);
}

/** Puts text between a date and its era. */
function withEra(text: string, more: string): string {
  return text.endsWith(' BC') ? `${text.slice(0, -3)}${more} BC` : `${text}${more}`;
}

function intervalText({ months, days, nanos }: Interval): string {
  return `${months} mons ${days} days ${clockText(nanos / 1000n)}`;
}

function durationText(units: bigint, unit: TimeUnit): string {
  return clockText(unit === 'ns' ? units / 1000n : units);
}

/** `-01:02:03.5`, of any number of hours. */
function clockText(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const seconds = size / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) =>
    part.toString().padStart(2, '0'),
  );
  const fraction = (size % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${parts.join(':')}${fraction && `.${fraction}`}`;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** `{1,NULL,"a b"}`. */
function listText(item: LogicalType, values: readonly Value[]): string {
  return `{${values.map((value) => elementText(item, value)).join(',')}}`;
}

/** One element inside braces: quoted where the text would mean something else. */
export function elementText(item: LogicalType, value: Value): string {
  if (value === null || typeof value === 'symbol') return 'NULL';
  const text = valueText(item, value);
  if (item.kind === 'list') return text;
  const plain = text !== '' && !/[{}",\\\s]/.test(text) && text.toUpperCase() !== 'NULL';
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
