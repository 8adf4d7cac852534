/** Values as JSON documents: how nested types stand in columns of systems that have documents alone. */
import { formatDate, formatTime, formatTimestamp, unitsPerSecond } from './calendar.js';
import type { LogicalType } from './types.js';
import { type Interval, type OffsetTimestamp, Special, type UnionValue, type Value } from './values.js';

/**
 * The JSON text of a value. Integers and decimals are numbers with all their digits; dates, times and durations ISO
 * 8601 text; bytes base64; what JSON has no number for (NaN, infinity) text.
 */
export function documentText(type: LogicalType, value: Value): string {
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
    case 'interval': {
      const { months, days, nanos } = value as Interval;
      return JSON.stringify(durationJson(months, days, nanos));
    }
    case 'duration':
      return JSON.stringify(durationJson(0, 0, (value as bigint) * (type.unit === 'us' ? 1000n : 1n)));
    case 'list':
      return `[${(value as readonly Value[]).map((each) => documentText(type.item.type, each)).join(',')}]`;
    case 'struct': {
      const members = value as { readonly [name: string]: Value };
      const parts = type.fields.map(
        (f) => `${JSON.stringify(f.name)}:${documentText(f.type, members[f.name] ?? null)}`,
      );
      return `{${parts.join(',')}}`;
    }
    case 'map': {
      const entries = value as readonly (readonly [Value, Value])[];
      const parts = entries.map(
        ([key, held]) => `${keyText(type.key.type, key)}:${documentText(type.value.type, held)}`,
      );
      return `{${parts.join(',')}}`;
    }
    case 'union': {
      const { tag, value: held } = value as UnionValue;
      const variant = type.variants.find((each) => each.name === tag)!;
      return `{${JSON.stringify(tag)}:${documentText(variant.type, held)}}`;
    }
    default:
      return JSON.stringify(String(value));
  }
}

function timestampJson(type: Extract<LogicalType, { kind: 'timestamp' }>, value: Value): string {
  if (type.zone !== 'offset') return formatTimestamp(value as bigint, type.unit, type.zone);
  const { at, offset } = value as OffsetTimestamp;
  const local = at + BigInt(offset) * 60n * unitsPerSecond(type.unit);
  const minutes = Math.abs(offset);
  const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => part.toString().padStart(2, '0'));
  return `${formatTimestamp(local, type.unit, 'none')}${offset < 0 ? '-' : '+'}${clock.join(':')}`;
}

/** `P1M2DT-3.5S`, as ISO 8601 writes durations; every part has its own sign. */
function durationJson(months: number, days: number, nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const seconds = `${nanos < 0n ? '-' : ''}${size / 1_000_000_000n}${fraction && `.${fraction}`}`;
  const date = `${months === 0 ? '' : `${months}M`}${days === 0 ? '' : `${days}D`}`;
  return nanos === 0n && date !== '' ? `P${date}` : `P${date}T${seconds}S`;
}

/** A member's name: the text of the key, or its JSON where it is no scalar. */
function keyText(type: LogicalType, key: Value): string {
  const text = documentText(type, key);
  return text.startsWith('"') ? text : JSON.stringify(text);
}
