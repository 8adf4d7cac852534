/** Values as JSON documents, for nested types in json columns. */
import {
  formatDate,
  formatTime,
  formatTimestamp,
  type LogicalType,
  type OffsetTimestamp,
  Special,
  type UnionValue,
  type Value,
} from '@sluice/sdk';
import { valueText } from './value-text.js';

/**
 * The JSON text of a value. Integers and decimals are numbers with all their digits, dates and times ISO 8601 text,
 * bytes base64, what JSON has no number for (NaN, infinity) text.
 */
export function jsonText(type: LogicalType, value: Value): string {
  if (value === null || typeof value === 'symbol') return 'null';
  if (value instanceof Special) return JSON.stringify(value.text);
  switch (type.kind) {
    case 'null':
      return 'null';
    case 'bool':
    case 'int':
      return String(value);
    case 'decimal':
      return value as string;
    case 'float':
      return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
    case 'json':
      return value as string;
    case 'bytes':
      return JSON.stringify(Buffer.from(value as Uint8Array).toString('base64'));
    case 'date':
      return JSON.stringify(formatDate(value as number));
    case 'time':
      return JSON.stringify(formatTime(value as bigint, type.unit));
    case 'timestamp':
      return JSON.stringify(timestampJson(type, value));
    case 'list':
      return `[${(value as readonly Value[]).map((each) => jsonText(type.item.type, each)).join(',')}]`;
    case 'struct': {
      const members = value as { readonly [name: string]: Value };
      const parts = type.fields.map(
        (f) => `${JSON.stringify(f.name)}:${jsonText(f.type, members[f.name] ?? null)}`,
      );
      return `{${parts.join(',')}}`;
    }
    case 'map': {
      const entries = value as readonly (readonly [Value, Value])[];
      const parts = entries.map(
        ([key, held]) => `${keyText(type.key.type, key)}:${jsonText(type.value.type, held)}`,
      );
      return `{${parts.join(',')}}`;
    }
    case 'union': {
      const { tag, value: held } = value as UnionValue;
      const variant = type.variants.find((each) => each.name === tag)!;
      return `{${JSON.stringify(tag)}:${jsonText(variant.type, held)}}`;
    }
    default:
      return JSON.stringify(valueText(type, value));
  }
}

function timestampJson(type: Extract<LogicalType, { kind: 'timestamp' }>, value: Value): string {
  if (type.zone !== 'offset') return formatTimestamp(value as bigint, type.unit, type.zone);
  return formatTimestamp((value as OffsetTimestamp).at, type.unit, 'utc');
}

/** A member's name: the text of the key, or its JSON where it is no scalar. */
function keyText(type: LogicalType, key: Value): string {
  const text = jsonText(type, key);
  return text.startsWith('"') ? text : JSON.stringify(text);
}
