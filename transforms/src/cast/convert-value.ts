/**
 * Conversions of single values between logical types. A conversion keeps what the value means or refuses it; only
 * to floats, which cannot hold most decimals exactly, the nearest one is taken.
 */
import {
  fitsPrecision,
  formatDecimal,
  type LogicalType,
  type OffsetTimestamp,
  parseOffsetTimestamp,
  parseUuid,
  Special,
  sameType,
  type TimeUnit,
  UNCHANGED,
  unitsPerSecond,
  type Value,
} from '@sluice/sdk';
import { readDecimal } from '../kernels/decimal-text.js';
import { parseUnits } from '../kernels/time.js';
import { jsonOfValue, textOfValue } from './value-text.js';

/** The value cannot be converted without changing it. */
export const REFUSED: unique symbol = Symbol('refused');
export type Converted = Value | typeof REFUSED;

/** Takes a value that is there. */
type Convert = (value: Value) => Converted;

/** The conversion between two types, for any value in rows; undefined where there is none. */
export function converter(from: LogicalType, to: LogicalType): Convert | undefined {
  const convert = sameType(from, to) ? (value: Value) => value : present(from, to);
  if (convert === undefined) return undefined;
  return (value) => {
    if (value === null || value === UNCHANGED) return value;
    return value instanceof Special ? special(value, from, to) : convert(value);
  };
}

const SPECIAL_FLOATS = new Map([
  ['nan', Number.NaN],
  ['infinity', Infinity],
  ['-infinity', -Infinity],
]);
const BOOLEANS = new Map([
  ['true', true],
  ['t', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['0', false],
]);

/** A special value keeps its text within its kind of type and in text; a float has some of them as values. */
function special(value: Special, from: LogicalType, to: LogicalType): Converted {
  if (to.kind === 'string') return value.text;
  if (from.kind === to.kind) return value;
  if (to.kind !== 'float') return REFUSED;
  return SPECIAL_FLOATS.get(value.text.toLowerCase()) ?? REFUSED;
}

function present(from: LogicalType, to: LogicalType): Convert | undefined {
  if (from.kind === 'null') return (value) => value;
  if (to.kind === 'string') return (value) => textOfValue(from, value) ?? REFUSED;
  if (to.kind === 'json') return toJson(from);
  if (from.kind === 'list' && to.kind === 'list') return listConverter(from.item, to.item);
  switch (from.kind) {
    case 'string':
    case 'enum':
    case 'native':
      return fromText(to);
    case 'json':
      return undefined;
    case 'bool':
      return to.kind === 'int' ? (value) => integer(value === true ? 1n : 0n, to) : undefined;
    case 'int':
    case 'float':
    case 'decimal':
      return fromNumber(from, to);
    case 'date':
    case 'time':
    case 'timestamp':
    case 'duration':
      return fromTime(from, to);
    case 'bytes':
      return to.kind === 'uuid' ? uuidOfBytes : undefined;
    case 'uuid':
      return to.kind === 'bytes' ? bytesOfUuid : undefined;
    default:
      return undefined;
  }
}

function toJson(from: LogicalType): Convert {
  if (from.kind !== 'string') return (value) => jsonOfValue(from, value);
  return (value) => {
    try {
      JSON.parse(value as string);
      return value;
    } catch {
      return REFUSED;
    }
  };
}

function listConverter(
  from: { type: LogicalType },
  to: { type: LogicalType; nullable: boolean },
): Convert | undefined {
  const convert = converter(from.type, to.type);
  if (convert === undefined) return undefined;
  return (value) => {
    const items = (value as readonly Value[]).map(convert);
    const wrong = items.includes(REFUSED) || (!to.nullable && items.includes(null));
    return wrong ? REFUSED : (items as Value[]);
  };
}

function fromText(to: LogicalType): Convert | undefined {
  switch (to.kind) {
    case 'bool':
      return (value) => BOOLEANS.get((value as string).toLowerCase()) ?? REFUSED;
    case 'int':
      return (value) =>
        /^\s*[+-]?\d{1,40}\s*$/.test(value as string)
          ? integer(BigInt((value as string).replace('+', '')), to)
          : REFUSED;
    case 'float':
      return (value) => floatOfText(value as string, to.bits);
    case 'decimal':
      return (value) => decimal(readDecimal(value as string), to);
    case 'bytes':
      return (value) => new Uint8Array(Buffer.from(value as string));
    case 'uuid':
      return (value) => uuidOfText(value as string);
    case 'date':
    case 'time':
    case 'duration':
      return (value) => units(parseUnits(to, value as string), to);
    case 'timestamp':
      return (value) => timestampOfText(value as string, to);
    case 'enum': {
      const labels = new Set(to.values);
      return (value) => (labels.has(value as string) ? value : REFUSED);
    }
    case 'native':
      return (value) => value;
    default:
      return undefined;
  }
}

function integer(value: bigint, to: LogicalType & { kind: 'int' }): Converted {
  const held = to.signed ? BigInt.asIntN(to.bits, value) : BigInt.asUintN(to.bits, value);
  if (held !== value) return REFUSED;
  return to.bits === 64 ? value : Number(value);
}

function floatOfText(text: string, bits: 32 | 64): Converted {
  const trimmed = text.trim();
  if (!/^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|Infinity|NaN)$/.test(trimmed)) return REFUSED;
  return float(Number(trimmed), bits);
}

/** The nearest float; a finite number does not become infinite. */
function float(value: number, bits: 32 | 64): Converted {
  const nearest = bits === 32 ? Math.fround(value) : value;
  return Number.isFinite(value) && !Number.isFinite(nearest) ? REFUSED : nearest;
}

function decimal(
  read: { unscaled: bigint; scale: number } | undefined,
  to: LogicalType & { kind: 'decimal' },
): Converted {
  if (read === undefined) return REFUSED;
  if (to.scale === undefined || to.precision === undefined) return formatDecimal(read.unscaled, read.scale);
  const shift = to.scale - read.scale;
  const factor = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && read.unscaled % factor !== 0n) return REFUSED;
  const unscaled = shift < 0 ? read.unscaled / factor : read.unscaled * factor;
  return fitsPrecision(unscaled, to.precision) ? formatDecimal(unscaled, to.scale) : REFUSED;
}

function uuidOfText(text: string): Converted {
  const bytes = new Uint8Array(16);
  return parseUuid(text, bytes) ? (textOfUuid(bytes) as string) : REFUSED;
}
function textOfUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
function uuidOfBytes(value: Value): Converted {
  return (value as Uint8Array).length === 16 ? textOfUuid(value as Uint8Array) : REFUSED;
}
function bytesOfUuid(value: Value): Converted {
  const bytes = new Uint8Array(16);
  parseUuid(value as string, bytes);
  return bytes;
}

function units(value: bigint | undefined, to: LogicalType): Converted {
  if (value === undefined || BigInt.asIntN(64, value) !== value) return REFUSED;
  if (to.kind !== 'date') return value;
  return BigInt.asIntN(32, value) === value ? Number(value) : REFUSED;
}

function timestampOfText(text: string, to: LogicalType & { kind: 'timestamp' }): Converted {
  if (to.zone !== 'offset') return units(parseUnits(to, text), to);
  const parsed = parseOffsetTimestamp(text, to.unit);
  if (parsed?.offset === undefined || units(parsed.at, to) === REFUSED) return REFUSED;
  return { at: parsed.at, offset: parsed.offset };
}

function fromNumber(from: LogicalType, to: LogicalType): Convert | undefined {
  switch (to.kind) {
    case 'int':
      return (value) => {
        const read = readDecimal(String(value));
        const whole = decimal(read, { kind: 'decimal', precision: 40, scale: 0 });
        return typeof whole === 'string' ? integer(BigInt(whole), to) : REFUSED;
      };
    case 'float':
      return (value) => float(Number(value), to.bits);
    case 'decimal':
      if (from.kind === 'float' && from.bits === 32)
        return (value) => decimal(readDecimal(shortFloat32(value as number)), to);
      return (value) => decimal(readDecimal(String(value)), to);
    case 'bool':
      return from.kind === 'int'
        ? (value) => (Number(value) === 1 ? true : Number(value) === 0 ? false : REFUSED)
        : undefined;
    default:
      return undefined;
  }
}

/** The shortest decimal that reads back as the same 32-bit float. */
function shortFloat32(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}

function fromTime(from: LogicalType, to: LogicalType): Convert | undefined {
  if (from.kind === 'date' && to.kind === 'timestamp') {
    return (value) => ofInstant(BigInt(value as number) * daySize(to.unit), to);
  }
  if (from.kind === 'timestamp' && to.kind === 'timestamp') {
    return (value) => {
      const at = from.zone === 'offset' ? (value as OffsetTimestamp).at : (value as bigint);
      const offset = from.zone === 'offset' ? (value as OffsetTimestamp).offset : 0;
      return ofInstant(inUnit(at, from.unit, to.unit), to, offset);
    };
  }
  if (from.kind === 'timestamp' && to.kind === 'date' && from.zone !== 'offset') {
    return (value) => {
      const size = daySize(from.unit);
      return (value as bigint) % size === 0n ? units((value as bigint) / size, to) : REFUSED;
    };
  }
  const sameKind = from.kind === to.kind && (from.kind === 'time' || from.kind === 'duration');
  if (!sameKind) return undefined;
  return (value) => units(inUnit(value as bigint, from.unit, (to as typeof from).unit), to);
}

function daySize(unit: TimeUnit): bigint {
  return 86_400n * unitsPerSecond(unit);
}

/** Undefined when finer digits would be lost. */
function inUnit(value: bigint, from: TimeUnit, to: TimeUnit): bigint | undefined {
  if (from === to) return value;
  if (to === 'ns') return value * 1000n;
  return value % 1000n === 0n ? value / 1000n : undefined;
}

function ofInstant(at: bigint | undefined, to: LogicalType & { kind: 'timestamp' }, offset = 0): Converted {
  const held = units(at, to);
  return held === REFUSED || to.zone !== 'offset' ? held : { at: held as bigint, offset };
}
