/** From COPY bytes to columns: which decoder belongs to which type. */
import { type Column, DECIMAL64_DIGITS, DECIMAL128_DIGITS, type LogicalType } from '@sluice/sdk';
import type { Wire } from '../types/wire.js';
import type { Cells } from './cells.js';
import { decodeArray } from './decode-array.js';
import {
  decodeBool,
  decodeFloat4,
  decodeFloat8,
  decodeInt2,
  decodeInt4,
  decodeInt8,
  decodeOid,
  decodeUuid,
} from './decode-fixed.js';
import { decodeDecimal64, decodeDecimal128, decodeDecimalText } from './decode-numeric.js';
import { decodeDate, decodeInterval, decodeTimestamp } from './decode-time.js';
import { decodeBytes, decodeJsonb } from './decode-varlen.js';

export type FieldDecoder = (cells: Cells) => Column;

/** The decoder of a wire into the layout of its logical type. */
export function fieldDecoder(wire: Wire, logical: LogicalType): FieldDecoder {
  switch (wire.kind) {
    case 'bool':
      return decodeBool;
    case 'int2':
      return decodeInt2;
    case 'int4':
      return decodeInt4;
    case 'int8':
    case 'time':
      return decodeInt8;
    case 'oid':
      return decodeOid;
    case 'float4':
      return decodeFloat4;
    case 'float8':
      return decodeFloat8;
    case 'numeric':
      return numericDecoder(logical);
    case 'text':
    case 'bpchar':
    case 'bytea':
    case 'json':
      return decodeBytes;
    case 'jsonb':
      return decodeJsonb;
    case 'uuid':
      return decodeUuid;
    case 'date':
      return decodeDate;
    case 'timestamp':
      return (cells) => decodeTimestamp(cells, 'none');
    case 'timestamptz':
      return (cells) => decodeTimestamp(cells, 'utc');
    case 'interval':
      return decodeInterval;
    case 'array': {
      if (logical.kind !== 'list') throw new TypeError(`an array is no ${logical.kind}`);
      const { item } = logical;
      const decode = fieldDecoder(wire.element, item.type);
      return (cells) => decodeArray(cells, item.type, decode);
    }
  }
}

function numericDecoder(logical: LogicalType): FieldDecoder {
  if (logical.kind !== 'decimal') throw new TypeError(`a numeric is no ${logical.kind}`);
  const { precision, scale = 0 } = logical;
  if (precision === undefined || precision > DECIMAL128_DIGITS) return decodeDecimalText;
  if (precision <= DECIMAL64_DIGITS) return (cells) => decodeDecimal64(cells, scale);
  return (cells) => decodeDecimal128(cells, scale);
}
