/**
 * The canonical text of values, written column by column into bytes: numbers with all their digits, ISO 8601 for
 * everything about time, lower-case UUIDs. CSV and JSON Lines differ only in what stands around these texts.
 */
import {
  type Column,
  DECIMAL64_DIGITS,
  DECIMAL128_DIGITS,
  formatDate,
  formatDecimal,
  formatTime,
  formatTimestamp,
  getBit,
  type LogicalType,
  readInt128,
  type TimeUnit,
  unitsPerSecond,
} from '@sluice/sdk';
import type { BytesText } from './cell-decoder.js';
import { formatDuration, formatInterval } from './durations.js';
import type { TextOut } from './text-out.js';

/** Writes the value of a row that has one. */
export type ValueWriter = (row: number) => void;

const HALF = 4_294_967_296;
/** Beyond this high half an integer is no longer exact as a float. */
const SAFE_HIGH = 2 ** 21;
const POINT = 0x2e;
const HYPHEN = 0x2d;
const COLON = 0x3a;

/** A writer for scalar types other than texts; undefined for texts and nested types, which the formats write. */
export function valueWriter(
  type: LogicalType,
  column: Column,
  out: TextOut,
  bytesText: BytesText,
): ValueWriter | undefined {
  const { data } = column;
  switch (data.layout) {
    case 'bits':
      return (row) => out.ascii(getBit(data.values, row) ? 'true' : 'false');
    case 'fixed':
      return fixedWriter(type, data.values, out);
    case 'bytes':
      return wideWriter(type, data.values, out);
    case 'struct':
      return type.kind === 'timestamp' ? offsetWriter(type.unit, data.children, out) : undefined;
    case 'varlen':
      if (type.kind === 'bytes') return bytesWriter(data.offsets, data.data, out, bytesText);
      if (type.kind === 'decimal')
        return (row) => out.copy(data.data, data.offsets[row]!, data.offsets[row + 1]!);
      return undefined;
    default:
      return undefined;
  }
}

function fixedWriter(type: LogicalType, values: ArrayBufferView, out: TextOut): ValueWriter {
  if (values instanceof BigInt64Array) {
    if (type.kind === 'decimal') return decimalWriter(type.scale ?? 0, values, out);
    if (type.kind === 'timestamp') return timestampWriter(type.unit, type.zone === 'utc', values, out);
    if (type.kind === 'time') return (row) => out.ascii(formatTime(values[row]!, type.unit));
    if (type.kind === 'duration') return (row) => out.ascii(formatDuration(values[row]!, type.unit));
    const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    return (row) => {
      const high = halves[2 * row + 1]!;
      if (high >= -SAFE_HIGH && high < SAFE_HIGH) out.integer(high * HALF + (halves[2 * row]! >>> 0));
      else out.ascii(values[row]!.toString());
    };
  }
  if (values instanceof BigUint64Array) return (row) => out.ascii(values[row]!.toString());
  if (type.kind === 'date') return (row) => writeDate(out, (values as Int32Array)[row]!);
  if (values instanceof Float64Array) return (row) => out.ascii(floatText(values[row]!));
  if (values instanceof Float32Array) return (row) => out.ascii(floatText(values[row]!));
  return (row) => out.integer((values as Int32Array)[row]!);
}

/** The shortest text that reads back as the same float; minus zero keeps its sign. */
export function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function decimalWriter(scale: number, values: BigInt64Array, out: TextOut): ValueWriter {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const unit = 10 ** scale;
  return (row) => {
    const high = halves[2 * row + 1]!;
    if (scale > 15 || high < -SAFE_HIGH || high >= SAFE_HIGH) {
      out.ascii(formatDecimal(values[row]!, scale));
      return;
    }
    let value = high * HALF + (halves[2 * row]! >>> 0);
    if (value < 0) {
      out.byte(HYPHEN);
      value = -value;
    }
    const whole = Math.floor(value / unit);
    out.integer(whole);
    if (scale === 0) return;
    out.byte(POINT);
    out.padded(value - whole * unit, scale);
  };
}

/** Civil dates of the years 0 to 9999 without objects; the era arithmetic is the SDK's `civilFromDays`. */
function writeDate(out: TextOut, days: number): void {
  const z = days + 719_468;
  if (z < 0 || z >= 3_652_365) {
    out.ascii(formatDate(days));
    return;
  }
  const era = (z / 146_097) | 0;
  const dayOfEra = z - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1_460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) |
    0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const shifted = ((5 * dayOfYear + 2) / 153) | 0;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  out.reserve(10);
  const century = (year / 100) | 0;
  out.pair(century);
  out.pair(year - century * 100);
  out.bytes[out.at++] = HYPHEN;
  out.pair(month);
  out.bytes[out.at++] = HYPHEN;
  out.pair(dayOfYear - (((153 * shifted + 2) / 5) | 0) + 1);
}

function timestampWriter(unit: TimeUnit, utc: boolean, values: BigInt64Array, out: TextOut): ValueWriter {
  const slow: ValueWriter = (row) => out.ascii(formatTimestamp(values[row]!, unit, utc ? 'utc' : 'none'));
  if (unit === 'ns') return slow;
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row) => {
    const high = halves[2 * row + 1]!;
    if (high < -SAFE_HIGH || high >= SAFE_HIGH) return slow(row);
    const micros = high * HALF + (halves[2 * row]! >>> 0);
    const seconds = Math.floor(micros / 1e6);
    const days = Math.floor(seconds / 86_400);
    writeDate(out, days);
    writeClock(out, seconds - days * 86_400, micros - seconds * 1e6);
    if (utc) out.byte(0x5a);
  };
}

function writeClock(out: TextOut, second: number, micros: number): void {
  out.reserve(16);
  out.bytes[out.at++] = 0x54;
  const minutes = (second / 60) | 0;
  const hours = (minutes / 60) | 0;
  out.pair(hours);
  out.bytes[out.at++] = COLON;
  out.pair(minutes - hours * 60);
  out.bytes[out.at++] = COLON;
  out.pair(second - minutes * 60);
  if (micros === 0) return;
  out.bytes[out.at++] = POINT;
  out.padded(micros, 6);
  while (out.bytes[out.at - 1] === 0x30) out.at--;
}

function offsetWriter(unit: TimeUnit, [at, offset]: readonly Column[], out: TextOut): ValueWriter {
  const instants = at!.data.layout === 'fixed' ? (at!.data.values as BigInt64Array) : undefined;
  const minutes = offset!.data.layout === 'fixed' ? (offset!.data.values as Int16Array) : undefined;
  if (instants === undefined || minutes === undefined)
    throw new TypeError('timestamp offset: wrong children');
  return (row) => {
    const east = minutes[row]!;
    const local = instants[row]! + BigInt(east) * 60n * unitsPerSecond(unit);
    const size = Math.abs(east);
    const hours = String(Math.floor(size / 60)).padStart(2, '0');
    out.ascii(formatTimestamp(local, unit, 'none'));
    out.ascii(`${east < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`);
  };
}

/** The two hexadecimal digits of each byte. */
const HEX = Uint16Array.from({ length: 256 }, (_, i) => {
  const text = i.toString(16).padStart(2, '0');
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
});

function wideWriter(type: LogicalType, values: Uint8Array, out: TextOut): ValueWriter {
  if (type.kind === 'uuid') {
    return (row) => {
      out.reserve(36);
      const { bytes } = out;
      let p = out.at;
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) bytes[p++] = HYPHEN;
        const digits = HEX[values[row * 16 + i]!]!;
        bytes[p++] = digits;
        bytes[p++] = digits >> 8;
      }
      out.at = p;
    };
  }
  if (type.kind === 'decimal' && type.precision! > DECIMAL64_DIGITS && type.precision! <= DECIMAL128_DIGITS) {
    const scale = type.scale ?? 0;
    return (row) => out.ascii(formatDecimal(readInt128(values, row * 16), scale));
  }
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  return (row) =>
    out.ascii(
      formatInterval({
        months: view.getInt32(row * 16, true),
        days: view.getInt32(row * 16 + 4, true),
        nanos: view.getBigInt64(row * 16 + 8, true),
      }),
    );
}

function bytesWriter(offsets: Int32Array, data: Uint8Array, out: TextOut, encoding: BytesText): ValueWriter {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return (row) => out.ascii(buffer.toString(encoding, offsets[row]!, offsets[row + 1]!));
}
