/** Values of rows as people and JSON show them: times as ISO text, bytes as hexadecimal, 64-bit integers exactly. */
import {
  type Field,
  formatDate,
  formatTime,
  formatTimestamp,
  type Interval,
  type LogicalType,
  type OffsetTimestamp,
  Special,
  type TimeUnit,
  UNCHANGED,
  type UnionValue,
  type Value,
} from '@sluice/sdk';

export type Printable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Printable[]
  | { [name: string]: Printable };

/** What stands for a value that the source did not send. */
export const UNCHANGED_TEXT = '(unchanged)';

export function printable(type: LogicalType, value: Value | undefined): Printable {
  if (value === null || value === undefined) return null;
  if (value === UNCHANGED) return UNCHANGED_TEXT;
  if (value instanceof Special) return value.text;
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  switch (type.kind) {
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as bigint, type.unit);
    case 'timestamp':
      return timestampText(type.unit, type.zone, value as bigint | OffsetTimestamp);
    case 'interval':
      return intervalText(value as Interval);
    case 'duration':
      return `${secondsText(value as bigint, type.unit)} s`;
    case 'float':
      return Number.isFinite(value) ? (value as number) : String(value);
    case 'list':
      return (value as readonly Value[]).map((item) => printable(type.item.type, item));
    case 'struct':
      return members(type.fields, value as { readonly [name: string]: Value });
    case 'map':
      return (value as unknown as readonly (readonly [Value, Value])[]).map(([key, item]) => [
        printable(type.key.type, key),
        printable(type.value.type, item),
      ]);
    case 'union':
      return unionMember(type.variants, value as UnionValue);
    default:
      return value as Printable;
  }
}

/** One text for a table's cell. */
export function cellText(type: LogicalType, value: Value | undefined): string {
  const shown = printable(type, value);
  if (shown === null) return '';
  if (typeof shown === 'string' || typeof shown === 'bigint') return shown.toString();
  return JSON.stringify(shown, (_, part) => (typeof part === 'bigint' ? part.toString() : part)) ?? '';
}

function members(fields: readonly Field[], value: { readonly [name: string]: Value }): Printable {
  return Object.fromEntries(fields.map(({ name, type }) => [name, printable(type, value[name])]));
}

function unionMember(variants: readonly Field[], { tag, value }: UnionValue): Printable {
  const variant = variants.find(({ name }) => name === tag);
  return { [tag]: variant === undefined ? String(value) : printable(variant.type, value) };
}

function timestampText(
  unit: TimeUnit,
  zone: 'utc' | 'none' | 'offset',
  value: bigint | OffsetTimestamp,
): string {
  if (typeof value === 'bigint') return formatTimestamp(value, unit, zone === 'none' ? 'none' : 'utc');
  const { at, offset } = value;
  const perMinute = unit === 'ns' ? 60_000_000_000n : 60_000_000n;
  const local = formatTimestamp(at + BigInt(offset) * perMinute, unit, 'none');
  const minutes = Math.abs(offset);
  const pair = (part: number) => part.toString().padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${pair(Math.floor(minutes / 60))}:${pair(minutes % 60)}`;
}

/** ISO 8601: `P14M3DT1.5S`; the three parts do not convert into each other. */
function intervalText({ months, days, nanos }: Interval): string {
  return `P${months}M${days}DT${secondsText(nanos, 'ns')}S`;
}

function secondsText(units: bigint, unit: TimeUnit): string {
  const digits = unit === 'ns' ? 9 : 6;
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${text.slice(0, -digits)}${fraction === '' ? '' : `.${fraction}`}`;
}
