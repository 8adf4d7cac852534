/** How a logical type is written into a type of PostgreSQL. */
import { formatType, type LogicalType, layoutOf, type Verdict } from '@sluice/sdk';
import type { ColumnEncoder } from '../copy/column-encoder.js';
import { encodeArray } from '../copy/encode-array.js';
import {
  encodeBool,
  encodeFloat4,
  encodeFloat8,
  encodeInt2,
  encodeInt4,
  encodeInt8,
  encodeOid,
  encodeUintAsInt8,
  encodeUuid,
} from '../copy/encode-fixed.js';
import { encodeNull } from '../copy/encode-null.js';
import {
  encodeDecimal64,
  encodeDecimal128,
  encodeDecimalText,
  encodeSmallAsNumeric,
  encodeUint64AsNumeric,
} from '../copy/encode-numeric.js';
import { asText, offsetAsUtc } from '../copy/encode-text.js';
import {
  encodeDate,
  encodeDuration,
  encodeInterval,
  encodeTimestamp,
  nanosToMicros,
} from '../copy/encode-time.js';
import { encodeBytes, encodeJsonb, encodeText } from '../copy/encode-varlen.js';
import type { Wire } from './wire.js';

export interface Fit {
  readonly encoder: ColumnEncoder;
  readonly verdict: Verdict;
  readonly note?: string;
}

const CUT_NANOS = 'digits behind the microsecond are cut off';

/** How values of a logical type go into a column; undefined when they do not. `name` is for errors. */
export function fit(name: string, from: LogicalType, to: Wire): Fit | undefined {
  if (from.kind === 'null') return { encoder: encodeNull, verdict: 'exact' };
  switch (to.kind) {
    case 'bool':
      return from.kind === 'bool' ? exact(encodeBool) : undefined;
    case 'int2':
    case 'int4':
    case 'int8':
      return fitInteger(from, to.kind);
    case 'oid':
      return from.kind === 'int' && !from.signed && from.bits <= 32 ? exact(encodeOid) : undefined;
    case 'float4':
      return from.kind === 'float' && from.bits === 32 ? exact(encodeFloat4) : undefined;
    case 'float8':
      if (from.kind !== 'float') return undefined;
      return { encoder: encodeFloat8, verdict: from.bits === 64 ? 'exact' : 'widening' };
    case 'numeric':
      return fitNumeric(from, to);
    case 'text':
    case 'bpchar':
      return fitText(from, to);
    case 'bytea':
      return from.kind === 'bytes' ? exact(encodeBytes) : undefined;
    case 'uuid':
      return from.kind === 'uuid' ? exact(encodeUuid) : undefined;
    case 'date':
      return from.kind === 'date' ? exact(encodeDate) : undefined;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return fitTime(from, to);
    case 'interval':
      return fitInterval(from, to);
    case 'json':
      return fitJson(from, encodeText);
    case 'jsonb':
      return fitJson(from, encodeJsonb);
    case 'array':
      return fitArray(name, from, to.element, to.elementOid);
  }
}

function exact(encoder: ColumnEncoder): Fit {
  return { encoder, verdict: 'exact' };
}

const BITS = { int2: 16, int4: 32, int8: 64 } as const;
const ENCODERS = { int2: encodeInt2, int4: encodeInt4, int8: encodeUintAsInt8 } as const;

function fitInteger(from: LogicalType, to: 'int2' | 'int4' | 'int8'): Fit | undefined {
  if (from.kind !== 'int') return undefined;
  const needed = from.signed ? from.bits : from.bits * 2;
  if (needed > BITS[to]) return undefined;
  const encoder = from.bits === 64 ? encodeInt8 : ENCODERS[to];
  return { encoder, verdict: from.signed && from.bits === BITS[to] ? 'exact' : 'widening' };
}

/** Decimal digits of the largest value of an integer type. */
function integerDigits(bits: 8 | 16 | 32 | 64, signed: boolean): number {
  if (bits === 64) return signed ? 19 : 20;
  return { 8: 3, 16: 5, 32: 10 }[bits];
}

type NumericWire = Extract<Wire, { kind: 'numeric' }>;

function fitNumeric(from: LogicalType, to: NumericWire): Fit | undefined {
  if (from.kind === 'int') {
    const digits = integerDigits(from.bits, from.signed);
    const encoder = integerAsNumeric(from.bits, from.signed, digits);
    return { encoder, ...numericVerdict(to, digits, 0) };
  }
  if (from.kind !== 'decimal') return undefined;
  const { precision, scale = 0 } = from;
  if (precision === undefined) {
    if (to.precision === undefined) return exact(encodeDecimalText);
    return {
      encoder: encodeDecimalText,
      verdict: 'lossy',
      note: `the column rounds to ${to.scale ?? 0} places`,
    };
  }
  const layout = layoutOf(from);
  const encoder =
    layout === 'varlen'
      ? encodeDecimalText
      : layout === 'int64'
        ? encodeDecimal64(precision, scale)
        : encodeDecimal128(precision, scale);
  return { encoder, ...numericVerdict(to, precision, scale) };
}

function integerAsNumeric(bits: number, signed: boolean, digits: number): ColumnEncoder {
  if (bits < 64) return encodeSmallAsNumeric(digits);
  return signed ? encodeDecimal64(digits, 0) : encodeUint64AsNumeric;
}

/** A numeric column rounds silently to its places, and refuses digits before the point that it has no room for. */
function numericVerdict(to: NumericWire, precision: number, scale: number): Pick<Fit, 'verdict' | 'note'> {
  if (to.precision === undefined) return { verdict: 'widening' };
  const places = to.scale ?? 0;
  if (to.precision === precision && places === scale) return { verdict: 'exact' };
  if (places < scale) return { verdict: 'lossy', note: `the column rounds to ${places} places` };
  if (to.precision - places < precision - scale)
    return { verdict: 'lossy', note: 'larger numbers are refused' };
  return { verdict: 'widening' };
}

function fitText(from: LogicalType, to: Wire): Fit | undefined {
  const padded = to.kind === 'bpchar';
  if (from.kind === 'string' || from.kind === 'native') {
    return padded && to.length === undefined
      ? exact(encodeText)
      : { encoder: encodeText, verdict: 'exact', ...(padded && { note: 'padded with spaces' }) };
  }
  if (from.kind === 'enum' || from.kind === 'json') return { encoder: encodeText, verdict: 'widening' };
  return { encoder: asText(from), verdict: 'widening', note: `${formatType(from)} as text` };
}

type TimeWire = Extract<Wire, { kind: 'time' | 'timestamp' | 'timestamptz' }>;

function fitTime(from: LogicalType, to: TimeWire): Fit | undefined {
  if (to.kind === 'time') {
    if (from.kind !== 'time') return undefined;
    const nanos = from.unit === 'ns';
    const encoder = nanos ? { ...encodeInt8, prepare: nanosToMicros } : encodeInt8;
    return timeVerdict(encoder, nanos, to.digits);
  }
  if (from.kind !== 'timestamp') return undefined;
  const zones = to.kind === 'timestamp' ? ['none'] : ['utc', 'offset'];
  if (!zones.includes(from.zone)) return undefined;
  const nanos = from.unit === 'ns';
  if (from.zone === 'offset') {
    const prepare = nanos
      ? (column: Parameters<typeof offsetAsUtc>[0]) => nanosToMicros(offsetAsUtc(column))
      : offsetAsUtc;
    return {
      encoder: { ...encodeTimestamp, prepare },
      verdict: 'lossy',
      note: 'the instant is kept, its offset is not',
    };
  }
  const encoder = nanos ? { ...encodeTimestamp, prepare: nanosToMicros } : encodeTimestamp;
  return timeVerdict(encoder, nanos, to.digits);
}

function timeVerdict(encoder: ColumnEncoder, nanos: boolean, digits: number | undefined): Fit {
  if (digits !== undefined) {
    return { encoder, verdict: 'lossy', note: `the column rounds to ${digits} digits behind the second` };
  }
  return nanos ? { encoder, verdict: 'lossy', note: CUT_NANOS } : exact(encoder);
}

function fitInterval(from: LogicalType, to: Extract<Wire, { kind: 'interval' }>): Fit | undefined {
  if (from.kind !== 'interval' && from.kind !== 'duration') return undefined;
  const nanos = from.kind === 'duration' && from.unit === 'ns';
  const encoder =
    from.kind === 'interval'
      ? encodeInterval
      : nanos
        ? { ...encodeDuration, prepare: nanosToMicros }
        : encodeDuration;
  if (to.modifier !== undefined)
    return { encoder, verdict: 'lossy', note: 'the column keeps some fields only' };
  if (nanos) return { encoder, verdict: 'lossy', note: CUT_NANOS };
  return { encoder, verdict: from.kind === 'interval' ? 'exact' : 'widening' };
}

function fitJson(from: LogicalType, encoder: ColumnEncoder): Fit | undefined {
  switch (from.kind) {
    case 'json':
      if (encoder === encodeJsonb && from.text === 'raw') {
        return { encoder, verdict: 'lossy', note: 'spaces, order and repeated names are not kept' };
      }
      return { encoder, verdict: 'exact' };
    case 'list':
    case 'struct':
    case 'map':
    case 'union':
      return { encoder: asText(from, encoder), verdict: 'widening', note: 'as a JSON document' };
    default:
      return undefined;
  }
}

function fitArray(name: string, from: LogicalType, element: Wire, elementOid: number): Fit | undefined {
  if (from.kind !== 'list' || from.item.type.kind === 'list') return undefined;
  const item = fit(name, from.item.type, element);
  if (item === undefined) return undefined;
  return { ...item, encoder: encodeArray(name, item.encoder, elementOid) };
}
