/** Values as text, and as JSON. */
import {
  formatDate,
  formatTime,
  formatTimestamp,
  type Interval,
  type LogicalType,
  type OffsetTimestamp,
  Special,
  UNCHANGED,
  type UnionValue,
  unitsPerSecond,
  type Value,
} from '@sluice/sdk';
import { canonicalDecimal } from '../kernels/decimal-text.js';

const MINUTE_SECONDS = 60n;

/** The text of a value: ISO 8601 for time, JSON for nested values; undefined where there is none (bytes that are no text). */
export function textOfValue(type: LogicalType, value: Value): string | undefined {
  if (value instanceof Special) return value.text;
  switch (type.kind) {
    case 'string':
    case 'enum':
    case 'native':
    case 'json':
    case 'uuid':
    case 'decimal':
      return value as string;
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as bigint, type.unit);
    case 'timestamp':
      if (type.zone === 'offset') return offsetText(value as OffsetTimestamp, type.unit);
      return formatTimestamp(value as bigint, type.unit, type.zone);
    case 'duration':
      return `${canonicalDecimal(value as bigint, type.unit === 'us' ? 6 : 9)}s`;
    case 'interval':
      return intervalText(value as Interval);
    case 'bytes':
      return utf8(value as Uint8Array);
    case 'list':
    case 'struct':
    case 'map':
    case 'union':
      return jsonOfValue(type, value);
    default:
      return String(value);
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function offsetText({ at, offset }: OffsetTimestamp, unit: 'us' | 'ns'): string {
  const local = formatTimestamp(at + BigInt(offset) * MINUTE_SECONDS * unitsPerSecond(unit), unit, 'none');
  const minutes = Math.abs(offset);
  const pad = (n: number) => n.toString().padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

/** ISO 8601 duration: `P1Y2M3DT4.5S`; months and days are not turned into each other. */
function intervalText({ months, days, nanos }: Interval): string {
  const parts = [months === 0 ? '' : `${months}M`, days === 0 ? '' : `${days}D`].join('');
  const seconds = nanos === 0n ? '' : `T${canonicalDecimal(nanos, 9)}S`;
  return parts + seconds === '' ? 'PT0S' : `P${parts}${seconds}`;
}

/**
 * A value as a JSON document. Numbers keep their digits, except NaN and infinities, which JSON does not have and
 * which become strings, as do dates, times and bytes (base64).
 */
export function jsonOfValue(type: LogicalType, value: Value): string {
  if (value === null || value === UNCHANGED) return 'null';
  if (value instanceof Special) return JSON.stringify(value.text);
  switch (type.kind) {
    case 'json':
      return value as string;
    case 'bool':
    case 'int':
    case 'decimal':
      return String(value);
    case 'float':
      return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
    case 'bytes':
      return JSON.stringify(Buffer.from(value as Uint8Array).toString('base64'));
    case 'list':
      return `[${(value as readonly Value[]).map((item) => jsonOfValue(type.item.type, item)).join(',')}]`;
    case 'struct': {
      const members = value as { readonly [name: string]: Value };
      return `{${type.fields.map((f) => `${JSON.stringify(f.name)}:${jsonOfValue(f.type, members[f.name] ?? null)}`).join(',')}}`;
    }
    case 'map':
      return mapJson(type.key.type, type.value.type, value as readonly (readonly [Value, Value])[]);
    case 'union': {
      const { tag, value: held } = value as UnionValue;
      const variant = type.variants.find((v) => v.name === tag);
      return `{${JSON.stringify(tag)}:${variant ? jsonOfValue(variant.type, held) : 'null'}}`;
    }
    default:
      return JSON.stringify(textOfValue(type, value));
  }
}

function mapJson(
  key: LogicalType,
  value: LogicalType,
  entries: readonly (readonly [Value, Value])[],
): string {
  const members = entries.map(
    ([k, v]) => `${JSON.stringify(textOfValue(key, k) ?? '')}:${jsonOfValue(value, v)}`,
  );
  return `{${members.join(',')}}`;
}
