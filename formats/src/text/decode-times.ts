/** Dates, times and timestamps from cells. */
import { type Field, parseDate, parseOffsetTimestamp, parseTime, type TimeUnit } from '@sluice/sdk';
import { dayAt, secondAt, TWO_DIGITS } from './calendar-table.js';
import { type CellDecoder, isDateSpecial, requireValues } from './cell-decoder.js';
import { type CellTable, NULL } from './cells.js';
import { storeBillions, storeSafe } from './int64-halves.js';
import { Nulls } from './nulls.js';

const DAY_SECONDS = 86_400;
const DAY_MINUTES = 1_440;
const PLUS = 0x2b;
const COLON = 0x3a;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const UPPER_T = 0x54;
const UPPER_Z = 0x5a;
const SPACE = 0x20;
/** What a fraction of so many digits is multiplied by to become nanoseconds. */
const TO_NANOS = Int32Array.from({ length: 10 }, (_, digits) => 10 ** (9 - digits));

/** `YYYY-MM-DD`. */
export function dates(field: Field): CellDecoder {
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const values = new Int32Array(to - from);
    const nulls = new Nulls(to - from);
    const { view, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const day = ends[base + row]! - (start >> 2) === 10 ? dayAt(view, start >> 2) : Number.NaN;
      if (!Number.isNaN(day)) values[row - from] = day;
      else
        slow(table, row, column, nulls, row - from, parseDate, (value) => {
          values[row - from] = value;
        });
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

/** `HH:MM[:SS[.fraction]]`. */
export function times(field: Field, unit: TimeUnit): CellDecoder {
  const parse = (text: string) => parseTime(text, unit);
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const values = new BigInt64Array(to - from);
    const halves = new Int32Array(values.buffer);
    const nulls = new Nulls(to - from);
    const { bytes, view, starts, ends } = table;
    const base = column * table.capacity;
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const p = start >> 2;
      const end = ends[base + row]!;
      const second = end - p >= 8 ? secondAt(view, p) : Number.NaN;
      const nanos = end - p === 8 ? 0 : fractionAt(bytes, p + 8, end);
      const exact = unit === 'ns' || nanos % 1000 === 0;
      if (second >= 0 && nanos >= 0 && exact) storeTime(halves, row - from, second, nanos, unit);
      else
        slow(table, row, column, nulls, row - from, parse, (value) => {
          values[row - from] = value;
        });
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

function storeTime(halves: Int32Array, at: number, seconds: number, nanos: number, unit: TimeUnit): void {
  if (unit === 'us') storeSafe(halves, at, seconds * 1e6 + nanos / 1000);
  else storeBillions(halves, at, seconds, nanos);
}

/** Nanoseconds of a fraction `.123456` that fills `bytes[p .. end]`; −1 when it is none. */
function fractionAt(bytes: Uint8Array, p: number, end: number): number {
  const digits = end - p - 1;
  if (bytes[p] !== POINT || digits < 1 || digits > 9) return -1;
  let value = 0;
  for (p++; p < end; p++) {
    const digit = bytes[p]! - ZERO;
    if (digit >>> 0 > 9) return -1;
    value = value * 10 + digit;
  }
  return value * TO_NANOS[digits]!;
}

/** Timestamps with a zone that is taken off (`utc`) or without one (`none`). */
export function timestamps(field: Field, unit: TimeUnit, zone: 'utc' | 'none'): CellDecoder {
  const parse = (text: string) => parseInstant(text, unit, zone);
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const values = new BigInt64Array(to - from);
    const halves = new Int32Array(values.buffer);
    const nulls = new Nulls(to - from);
    const { starts, ends } = table;
    const base = column * table.capacity;
    const reading = new TimestampReading();
    for (let row = from; row < to; row++) {
      const start = starts[base + row]!;
      if ((start & 3) === NULL) {
        nulls.mark(row - from);
        continue;
      }
      const isRead =
        reading.read(table, start >> 2, ends[base + row]!) && reading.hasZone === (zone === 'utc');
      if (isRead && (unit === 'ns' || reading.nanos % 1000 === 0)) {
        storeTime(halves, row - from, reading.seconds - reading.offset * 60, reading.nanos, unit);
      } else {
        slow(table, row, column, nulls, row - from, parse, (value) => {
          values[row - from] = value;
        });
      }
    }
    requireValues(field, nulls, table, column, from);
    return nulls.column({ layout: 'fixed', values });
  };
}

/** One timestamp, read from bytes into members so that nothing is allocated. */
class TimestampReading {
  /** Of the wall clock as written, since 1970-01-01. */
  seconds = 0;
  nanos = 0;
  /** Minutes east. */
  offset = 0;
  hasZone = false;

  /** `YYYY-MM-DD[T ]HH:MM:SS[.fraction][zone]`; false when the bytes are written otherwise. */
  read({ bytes, view }: CellTable, p: number, end: number): boolean {
    if (end - p < 19) return false;
    const between = bytes[p + 10];
    const seconds = dayAt(view, p) * DAY_SECONDS + secondAt(view, p + 11);
    if (Number.isNaN(seconds) || (between !== UPPER_T && between !== SPACE)) return false;
    this.seconds = seconds;
    this.nanos = 0;
    p += 19;
    if (p < end && bytes[p] === POINT) {
      let value = 0;
      const first = ++p;
      for (; p < end; p++) {
        const digit = bytes[p]! - ZERO;
        if (digit >>> 0 > 9) break;
        value = value * 10 + digit;
      }
      if (p === first || p - first > 9) return false;
      this.nanos = value * TO_NANOS[p - first]!;
    }
    this.offset = 0;
    this.hasZone = p < end;
    return p === end || this.readZone(bytes, view, p, end);
  }

  private readZone(bytes: Uint8Array, view: DataView, p: number, end: number): boolean {
    const sign = bytes[p];
    if (sign === UPPER_Z) return p + 1 === end;
    if (sign !== PLUS && sign !== MINUS) return false;
    const length = end - p;
    const hours = TWO_DIGITS[view.getUint16(p + 1, true)]!;
    let minutes = 0;
    if (length === 6 && bytes[p + 3] === COLON) minutes = TWO_DIGITS[view.getUint16(p + 4, true)]!;
    else if (length === 5) minutes = TWO_DIGITS[view.getUint16(p + 3, true)]!;
    else if (length !== 3) return false;
    if ((hours | minutes) < 0 || hours > 23 || minutes > 59) return false;
    this.offset = sign === MINUS ? -(hours * 60 + minutes) : hours * 60 + minutes;
    return true;
  }
}

/** A timestamp in any notation that the SDK reads; a date alone is its midnight where no zone is asked for. */
function parseInstant(text: string, unit: TimeUnit, zone: 'utc' | 'none'): bigint | undefined {
  const parsed = parseOffsetTimestamp(
    zone === 'none' && /^[^T ]+$/.test(text) ? `${text}T00:00` : text,
    unit,
  );
  if (parsed === undefined || (parsed.offset === undefined) !== (zone === 'none')) return undefined;
  if (Math.abs(parsed.offset ?? 0) >= DAY_MINUTES) return undefined;
  return BigInt.asIntN(64, parsed.at) === parsed.at ? parsed.at : undefined;
}

/** Timestamps whose offset is kept: a struct of instant and minutes east. */
export function offsetTimestamps(field: Field, unit: TimeUnit): CellDecoder {
  return (table, column, from, to) => {
    table.resolveEscapes(column);
    const rows = to - from;
    const instants = new BigInt64Array(rows);
    const halves = new Int32Array(instants.buffer);
    const offsets = new Int16Array(rows);
    const nulls = new Nulls(rows);
    const reading = new TimestampReading();
    const base = column * table.capacity;
    const parse = (text: string) => {
      const parsed = parseOffsetTimestamp(text, unit);
      if (parsed?.offset === undefined || Math.abs(parsed.offset) >= DAY_MINUTES) return undefined;
      if (BigInt.asIntN(64, parsed.at) !== parsed.at) return undefined;
      return { at: parsed.at, offset: parsed.offset };
    };
    for (let row = from; row < to; row++) {
      const start = table.starts[base + row]!;
      const at = row - from;
      if ((start & 3) === NULL) {
        nulls.mark(at);
        continue;
      }
      const isRead = reading.read(table, start >> 2, table.ends[base + row]!) && reading.hasZone;
      if (isRead && (unit === 'ns' || reading.nanos % 1000 === 0)) {
        storeTime(halves, at, reading.seconds - reading.offset * 60, reading.nanos, unit);
        offsets[at] = reading.offset;
      } else {
        slow(table, row, column, nulls, at, parse, (value) => {
          instants[at] = value.at;
          offsets[at] = value.offset;
        });
      }
    }
    requireValues(field, nulls, table, column, from);
    const at = { length: rows, data: { layout: 'fixed' as const, values: instants } };
    const offset = { length: rows, data: { layout: 'fixed' as const, values: offsets } };
    return nulls.column({ layout: 'struct', children: [at, offset] });
  };
}

/** Unusual notations, special values, and everything that is neither. */
function slow<V>(
  table: CellTable,
  row: number,
  column: number,
  nulls: Nulls,
  at: number,
  parse: (text: string) => V | undefined,
  store: (value: V) => void,
): void {
  const text = table.textOf(row, column);
  const value = parse(text);
  if (value !== undefined) store(value);
  else if (isDateSpecial(text)) nulls.markSpecial(at, text);
  else throw table.owner.badValue(table, row, column, text);
}
