/** Dates, times, timestamps and durations: conversions, parts, units. */
import {
  civilFromDays,
  daysFromCivil,
  type LogicalType,
  parseDate,
  parseTime,
  parseTimestamp,
  type TimeUnit,
  unitsPerSecond,
} from '@sluice/sdk';
import { arithmetic, inRange } from './arithmetic.js';
import { vectorOf } from './from-column.js';
import { type Scaled, scaled } from './scales.js';
import { stringsOf } from './text-build.js';
import { integersOf, quoted } from './to-number.js';
import {
  andValidity,
  computedStatus,
  expectKind,
  type Kernel,
  mergeErrors,
  Outcome,
  status,
  type Vector,
} from './vector.js';

const DAY_SECONDS = 86_400n;

function unitsPerDay(unit: TimeUnit): bigint {
  return DAY_SECONDS * unitsPerSecond(unit);
}

/** Units of a date, time, timestamp or duration that is written as text. */
export function parseUnits(type: LogicalType, text: string): bigint | undefined {
  switch (type.kind) {
    case 'date': {
      const days = parseDate(text);
      return days === undefined ? undefined : BigInt(days);
    }
    case 'time':
      return parseTime(text, type.unit);
    case 'timestamp': {
      const units = parseTimestamp(text, type.unit, type.zone === 'none' ? 'none' : 'utc');
      return units !== undefined && BigInt.asIntN(64, units) === units ? units : undefined;
    }
    case 'duration':
      return parseDuration(text, type.unit);
    default:
      return undefined;
  }
}

const DURATION_NANOS: { readonly [unit: string]: bigint } = {
  d: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

/** `1h30m`, `1.5s`, `-250ms`: numbers with units, as CEL writes them, and `d` for days of 24 hours. */
function parseDuration(text: string, unit: TimeUnit): bigint | undefined {
  if (!/^[+-]?(\d+(\.\d{1,9})?(d|h|ms|m|us|µs|ns|s))+$/.test(text) || text.length > 100) return undefined;
  let nanos = 0n;
  for (const [, whole, fraction = '', name] of text.matchAll(/(\d+)(?:\.(\d+))?(d|h|ms|m|us|µs|ns|s)/g)) {
    const size = DURATION_NANOS[name!]!;
    const part = BigInt(fraction.padEnd(9, '0')) * size;
    if (part % 1_000_000_000n !== 0n) return undefined;
    nanos += BigInt(whole!) * size + part / 1_000_000_000n;
  }
  if (text.startsWith('-')) nanos = -nanos;
  const perUnit = 1_000_000_000n / unitsPerSecond(unit);
  if (nanos % perUnit !== 0n) return undefined;
  const units = nanos / perUnit;
  return BigInt.asIntN(64, units) === units ? units : undefined;
}

/** Reads text as a time type. */
export function toTime(to: LogicalType, expected: string): Kernel {
  return (args, rows) => {
    const strings = stringsOf(expectKind(args[0]!, 'text'));
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const units = strings.map((text, i) => {
      const parsed = parseUnits(to, text);
      if (parsed === undefined) outcome.fail(i, `${quoted(text)} is no ${expected}`);
      return parsed ?? 0n;
    });
    return { length: rows, data: integersOf(units), ...outcome.status() };
  };
}

/** An instant from seconds since 1970. */
export function timestampOfSeconds(): Kernel {
  return scaleUnits({ kind: 'timestamp', unit: 'us', zone: 'utc' }, 1_000_000);
}

/** Midnight of a date. */
export function timestampOfDate(to: LogicalType & { kind: 'timestamp' }): Kernel {
  return scaleUnits(to, Number(unitsPerDay(to.unit)));
}

/** From microseconds to nanoseconds. */
export function toNanos(to: LogicalType): Kernel {
  return scaleUnits(to, 1000);
}

function scaleUnits(to: LogicalType, factor: number): Kernel {
  const multiply = arithmetic('mul', to, 0);
  const values = new Map<number, Vector>();
  return ([vector], rows) => {
    let by = values.get(rows);
    if (by === undefined) {
      values.clear();
      by = { length: rows, data: { kind: 'numbers', values: new Float64Array(rows).fill(factor), scale: 0 } };
      values.set(rows, by);
    }
    return multiply([vector!, by], rows);
  };
}

/** The instant of a timestamp that keeps its offset. */
export function instant(unit: TimeUnit): Kernel {
  return ([vector], rows) => {
    const { column } = expectKind(vector!, 'whole');
    if (column.data.layout !== 'struct') throw new TypeError('timestamp offset: wrong layout');
    const at = vectorOf({ kind: 'timestamp', unit, zone: 'utc' }, column.data.children[0]!);
    const { validity, errors, special } = vector!;
    const known = andValidity(validity, at.validity, rows);
    return { length: rows, data: at.data, ...status(known, mergeErrors(errors, at.errors), special) };
  };
}

/** The day of a timestamp, in UTC or as it was read. */
export function dateOfTimestamp(unit: TimeUnit): Kernel {
  const perDay = unitsPerDay(unit);
  return (args, rows) => {
    const outcome = new Outcome(computedStatus(args, rows), rows);
    return inRange({ kind: 'date' }, floorQuotient(scaled(args[0]!), perDay), outcome, rows);
  };
}

/** The time of day of a timestamp, in UTC or as it was read. */
export function timeOfTimestamp(unit: TimeUnit): Kernel {
  const perDay = unitsPerDay(unit);
  return (args, rows) => ({
    length: rows,
    data: mapUnits(
      scaled(args[0]!),
      (n) => floorModulo(n, Number(perDay)),
      (n) => ((n % perDay) + perDay) % perDay,
    ),
    ...computedStatus(args, rows),
  });
}

function floorQuotient(data: Scaled, by: bigint): Scaled {
  const divisor = Number(by);
  return mapUnits(
    data,
    (n) => Math.floor(n / divisor),
    (n) => (n - (((n % by) + by) % by)) / by,
  );
}

function floorModulo(n: number, by: number): number {
  const rest = n % by;
  return rest < 0 ? rest + by : rest + 0;
}

function mapUnits(data: Scaled, small: (n: number) => number, large: (n: bigint) => bigint): Scaled {
  if (data.kind === 'integers') return integersOf(data.values.map(large));
  const values = new Float64Array(data.values.length);
  for (let i = 0; i < values.length; i++) values[i] = small(data.values[i]!);
  return { kind: 'numbers', values, scale: 0 };
}

/** CEL's getters. Months, days of the month (but `getDate`), of the week (Sunday 0) and of the year count from 0. */
export const TIME_PARTS = [
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
] as const;
export type TimePart = (typeof TIME_PARTS)[number];

const CLOCK: { readonly [part: string]: readonly [seconds: number, modulo: number] } = {
  getHours: [3600, 24],
  getMinutes: [60, 60],
  getSeconds: [1, 60],
  getMilliseconds: [0.001, 1000],
};

/** A part of a date, time or timestamp. Of a duration the getters give the whole of it in that unit. */
export function timePart(part: TimePart, from: LogicalType): Kernel {
  const clock = CLOCK[part];
  return (args, rows) => {
    const data = scaled(args[0]!);
    const values = clock ? clockPart(clock, from, data) : dayPart(part, from, data);
    return { length: rows, data: values, ...computedStatus(args, rows) };
  };
}

function clockPart([seconds, modulo]: readonly [number, number], from: LogicalType, data: Scaled): Scaled {
  if (from.kind !== 'time' && from.kind !== 'timestamp' && from.kind !== 'duration')
    throw new TypeError(from.kind);
  const perSecond = Number(unitsPerSecond(from.unit));
  const size = Math.round(seconds * perSecond);
  const wide = BigInt(size);
  if (from.kind === 'duration' && seconds >= 1)
    return mapUnits(
      data,
      (n) => Math.trunc(n / size) + 0,
      (n) => n / wide,
    );
  if (from.kind === 'duration') {
    return mapUnits(
      data,
      (n) => (Math.trunc(n / size) % modulo) + 0,
      (n) => (n / wide) % BigInt(modulo),
    );
  }
  const all = BigInt(modulo);
  return mapUnits(
    data,
    (n) => floorModulo(Math.floor(n / size), modulo),
    (n) => ((((n - (((n % wide) + wide) % wide)) / wide) % all) + all) % all,
  );
}

function dayPart(part: TimePart, from: LogicalType, data: Scaled): Scaled {
  const days = from.kind === 'timestamp' ? floorQuotient(data, unitsPerDay(from.unit)) : data;
  const values = new Float64Array(days.values.length);
  const ofDay = dayFunction(part);
  for (let i = 0; i < values.length; i++) values[i] = ofDay(Number(days.values[i]!));
  return { kind: 'numbers', values, scale: 0 };
}

function dayFunction(part: TimePart): (days: number) => number {
  switch (part) {
    case 'getFullYear':
      return (days) => civilFromDays(days).year;
    case 'getMonth':
      return (days) => civilFromDays(days).month - 1;
    case 'getDate':
      return (days) => civilFromDays(days).day;
    case 'getDayOfMonth':
      return (days) => civilFromDays(days).day - 1;
    case 'getDayOfWeek':
      return (days) => floorModulo(days + 4, 7);
    default:
      return (days) => days - daysFromCivil(civilFromDays(days).year, 1, 1);
  }
}
