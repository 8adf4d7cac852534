/**
 * What a leaf of a Parquet schema means: the logical type, and how its stored values become that type's layout.
 * Logical types win over the older converted types, which say the same for files of before:
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import { DECIMAL64_DIGITS, DECIMAL128_DIGITS, type LogicalType, type TimeUnit, types } from '@sluice/sdk';
import { sound } from './damage.js';
import { Converted, type LogicalAnnotation, Physical, type SchemaElement } from './format.js';

/** How stored values become a column's layout. */
export type LeafConversion =
  | {
      readonly how:
        | 'none'
        | 'bits'
        | 'words'
        | 'narrow'
        | 'varlen'
        | 'text'
        | 'uuid'
        | 'interval'
        | 'float16';
    }
  /** Fixed bytes as values of their own length. */
  | { readonly how: 'fixed-bytes' }
  /** Integers of 32 or 64 bits, or big-endian bytes, to the decimal's layout. */
  | { readonly how: 'decimal'; readonly precision: number; readonly scale: number }
  /** Milliseconds in 32 or 64 bits to microseconds. */
  | { readonly how: 'millis' }
  | { readonly how: 'int96'; readonly unit: TimeUnit };

export interface LeafType {
  readonly type: LogicalType;
  readonly conversion: LeafConversion;
  /** What the column's reader should know. */
  readonly note?: string;
}

/** Longest value of fixed length: what is longer is a damaged schema. */
const MOST_FIXED = 1 << 20;

/** The meaning of a leaf; `int96` is the unit for the timestamps of that name. */
export function leafType(element: SchemaElement, int96: TimeUnit): LeafType {
  const { type, typeLength } = element;
  const logical = element.logical ?? fromConverted(element);
  switch (type) {
    case Physical.BOOLEAN:
      return { type: types.bool, conversion: { how: 'bits' } };
    case Physical.INT32:
      return int32Type(logical);
    case Physical.INT64:
      return int64Type(logical);
    case Physical.INT96:
      return {
        type: { kind: 'timestamp', unit: int96, zone: 'none' },
        conversion: { how: 'int96', unit: int96 },
        note: `INT96 is read as a timestamp without zone in ${int96}`,
      };
    case Physical.FLOAT:
      return { type: types.float32, conversion: { how: 'words' } };
    case Physical.DOUBLE:
      return { type: types.float64, conversion: { how: 'words' } };
    case Physical.BYTE_ARRAY:
      return bytesType(logical);
    case Physical.FIXED_LEN_BYTE_ARRAY:
      sound(
        typeLength !== undefined && typeLength > 0 && typeLength <= MOST_FIXED,
        'a fixed length is out of range',
      );
      return fixedType(logical, typeLength, element.converted);
    default:
      sound(false, `there is no physical type ${type}`);
  }
}

function int32Type(logical: LogicalAnnotation | undefined): LeafType {
  const { kind } = logical ?? {};
  if (kind === 'unknown') return { type: types.nullType, conversion: { how: 'none' } };
  if (kind === 'date') return { type: types.date, conversion: { how: 'words' } };
  if (logical?.kind === 'decimal') return decimalType(logical.precision, logical.scale);
  if (logical?.kind === 'time') return { type: types.time, conversion: { how: 'millis' } };
  if (logical?.kind === 'int') {
    const { bits, signed } = logical;
    sound(bits === 8 || bits === 16 || bits === 32, `an INT32 is annotated as INT(${bits})`);
    return { type: { kind: 'int', bits, signed }, conversion: { how: bits === 32 ? 'words' : 'narrow' } };
  }
  return { type: types.int32, conversion: { how: 'words' }, ...unknownNote(logical) };
}

function int64Type(logical: LogicalAnnotation | undefined): LeafType {
  const { kind } = logical ?? {};
  if (kind === 'unknown') return { type: types.nullType, conversion: { how: 'none' } };
  if (logical?.kind === 'decimal') return decimalType(logical.precision, logical.scale);
  if (logical?.kind === 'time' || logical?.kind === 'timestamp') {
    const unit = logical.unit === 'ns' ? 'ns' : 'us';
    const conversion = { how: logical.unit === 'ms' ? 'millis' : 'words' } as const;
    if (logical.kind === 'time') return { type: { kind: 'time', unit }, conversion };
    return { type: { kind: 'timestamp', unit, zone: logical.utc ? 'utc' : 'none' }, conversion };
  }
  if (logical?.kind === 'int') {
    sound(logical.bits === 64, `an INT64 is annotated as INT(${logical.bits})`);
    return { type: logical.signed ? types.int64 : types.uint64, conversion: { how: 'words' } };
  }
  return { type: types.int64, conversion: { how: 'words' }, ...unknownNote(logical) };
}

function bytesType(logical: LogicalAnnotation | undefined): LeafType {
  switch (logical?.kind) {
    case 'string':
    case 'enum':
      return { type: types.string, conversion: { how: 'text' } };
    case 'json':
      return { type: types.json, conversion: { how: 'text' } };
    case 'decimal':
      return decimalType(logical.precision, logical.scale);
    case 'unknown':
      return { type: types.nullType, conversion: { how: 'none' } };
    case 'bson':
      return { type: types.bytes, conversion: { how: 'varlen' }, note: 'BSON is read as bytes' };
    default:
      return { type: types.bytes, conversion: { how: 'varlen' }, ...unknownNote(logical) };
  }
}

function fixedType(
  logical: LogicalAnnotation | undefined,
  length: number,
  converted: number | undefined,
): LeafType {
  if (logical?.kind === 'decimal') return decimalType(logical.precision, logical.scale);
  if (logical?.kind === 'uuid') {
    sound(length === 16, `a UUID has ${length} bytes`);
    return { type: types.uuid, conversion: { how: 'uuid' } };
  }
  if (logical?.kind === 'float16') {
    sound(length === 2, `a FLOAT16 has ${length} bytes`);
    return { type: types.float32, conversion: { how: 'float16' }, note: 'FLOAT16 is widened to 32 bits' };
  }
  if (converted === Converted.INTERVAL && length === 12) {
    return { type: types.interval, conversion: { how: 'interval' } };
  }
  if (logical?.kind === 'unknown') return { type: types.nullType, conversion: { how: 'none' } };
  return { type: types.bytes, conversion: { how: 'fixed-bytes' }, ...unknownNote(logical) };
}

function decimalType(precision: number, scale: number): LeafType {
  sound(precision > 0 && precision <= 1000, `a decimal has ${precision} digits`);
  sound(scale >= 0 && scale <= precision, `a decimal has ${scale} of ${precision} digits behind the point`);
  return { type: { kind: 'decimal', precision, scale }, conversion: { how: 'decimal', precision, scale } };
}

/** Bytes a value has in a decimal's layout; 0: text. */
export function decimalBytes(precision: number): 0 | 8 | 16 {
  if (precision > DECIMAL128_DIGITS) return 0;
  return precision > DECIMAL64_DIGITS ? 16 : 8;
}

function unknownNote(logical: LogicalAnnotation | undefined): { note?: string } {
  return logical?.kind === 'other'
    ? { note: `logical type ${logical.id} is not known here; the stored type is used` }
    : {};
}

function fromConverted({ converted, precision, scale }: SchemaElement): LogicalAnnotation | undefined {
  switch (converted) {
    case Converted.UTF8:
      return { kind: 'string' };
    case Converted.ENUM:
      return { kind: 'enum' };
    case Converted.DECIMAL:
      return { kind: 'decimal', precision: precision ?? 0, scale: scale ?? 0 };
    case Converted.DATE:
      return { kind: 'date' };
    case Converted.TIME_MILLIS:
      return { kind: 'time', unit: 'ms', utc: true };
    case Converted.TIME_MICROS:
      return { kind: 'time', unit: 'us', utc: true };
    case Converted.TIMESTAMP_MILLIS:
      return { kind: 'timestamp', unit: 'ms', utc: true };
    case Converted.TIMESTAMP_MICROS:
      return { kind: 'timestamp', unit: 'us', utc: true };
    case Converted.JSON:
      return { kind: 'json' };
    case Converted.BSON:
      return { kind: 'bson' };
    default:
      break;
  }
  if (converted === undefined || converted < Converted.UINT_8 || converted > Converted.INT_64)
    return undefined;
  const signed = converted >= Converted.INT_8;
  return { kind: 'int', bits: 8 << (converted - (signed ? Converted.INT_8 : Converted.UINT_8)), signed };
}
