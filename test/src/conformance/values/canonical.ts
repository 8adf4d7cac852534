/**
 * One text per value, so that rows can be compared and counted whatever they were read with. Independent readers
 * rarely speak the SDK's own values, hence what means the same has the same text: integers as numbers, bigints or
 * digits; decimals with and without trailing zeros; dates and times as numbers or ISO 8601; JSON values of lists and
 * structs; intervals in ISO 8601. What a system holds outside a type's range is the same as the `Special` of its text. Zero has no sign.
 */
import {
  type Field,
  formatDate,
  formatDecimal,
  formatTimestamp,
  type LogicalType,
  parseDate,
  parseDecimal,
  parseOffsetTimestamp,
  parseTime,
  parseTimestamp,
  type Row,
  Special,
  structFields,
  type TimeUnit,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { parseIsoDuration } from './iso-duration.js';

/** A row's text: `id=1, name="x"`. */
export function canonicalRow(fields: readonly Field[], row: Row): string {
  return fields.map((f) => `${f.name}=${canonicalValue(f.type, row[f.name])}`).join(', ');
}

/** A value's text. Values that mean nothing in the type get a text that no value of the type has. */
export function canonicalValue(type: LogicalType, value: Value | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (value === UNCHANGED) return 'unchanged';
  if (value instanceof Special) return specialText(value.text);
  return (
    ordinary(type, value) ?? (typeof value === 'string' ? specialText(value) : `misplaced ${String(value)}`)
  );
}

function specialText(text: string): string {
  return `special ${JSON.stringify(text)}`;
}

type Present = Exclude<Value, null | typeof UNCHANGED | Special>;

function ordinary(type: LogicalType, value: Present): string | undefined {
  switch (type.kind) {
    case 'null':
      return undefined;
    case 'bool':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'int':
      return wholeText(value);
    case 'float':
      return floatText(type.bits, value);
    case 'decimal':
      return decimalText(value);
    case 'bytes':
      return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : undefined;
    case 'uuid':
      return typeof value === 'string' ? value.toLowerCase() : undefined;
    case 'date':
      return dateText(value);
    case 'time':
      return (
        (typeof value === 'string' ? parseTime(value, type.unit)?.toString() : undefined) ?? wholeText(value)
      );
    case 'duration':
      return (typeof value === 'string' ? durationText(type.unit, value) : undefined) ?? wholeText(value);
    case 'timestamp':
      return type.zone === 'offset'
        ? offsetText(type.unit, value)
        : timestampText(type.unit, type.zone, value);
    case 'interval':
      return intervalText(value);
    case 'list':
      return items(value)
        ?.map((item) => canonicalValue(type.item.type, item))
        .reduce(joined('[', ']'), '[]');
    case 'struct':
      return structText(type, value);
    case 'map':
      return mapText(type.key, type.value, value);
    case 'union':
      return unionText(type.variants, value);
    default:
      return typeof value === 'string' ? JSON.stringify(value) : undefined;
  }
}

function wholeText(value: Present): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? (value + 0).toString() : undefined;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value).toString() : undefined;
}

const FLOAT_WORDS: { readonly [word: string]: number } = {
  nan: Number.NaN,
  infinity: Infinity,
  '+infinity': Infinity,
  inf: Infinity,
  '-infinity': -Infinity,
  '-inf': -Infinity,
};

function floatText(bits: 32 | 64, value: Present): string | undefined {
  let number: number;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && value.trim() !== '')
    number = FLOAT_WORDS[value.toLowerCase()] ?? Number(value);
  else return undefined;
  if (Number.isNaN(number) && typeof value === 'string' && value.toLowerCase() !== 'nan') return undefined;
  return String((bits === 32 ? Math.fround(number) : number) + 0);
}

function decimalText(value: Present): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const plain = plainNotation(String(value).trim());
  const match = plain === undefined ? null : /^([+-]?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(plain);
  if (!match) return undefined;
  const magnitude = `${match[2] || '0'}${match[3] ? `.${match[3]}` : ''}`;
  return match[1] === '-' && magnitude !== '0' ? `-${magnitude}` : magnitude;
}

function plainNotation(text: string): string | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return text;
  const exponent = /[eE]([+-]?\d{1,4})$/.exec(text);
  if (!exponent) return undefined;
  const scale = Math.max(0, text.length - Number(exponent[1]));
  const unscaled = parseDecimal(text, scale);
  return unscaled === undefined ? undefined : formatDecimal(unscaled, scale);
}

/** Years of more than six digits are written like others, though ISO 8601 leaves them to agreement. */
function dateText(value: Present): string | undefined {
  if (typeof value === 'string' && /^[+-]\d{7,}-\d\d-\d\d$/.test(value)) return value;
  const days = typeof value === 'string' ? (parseDate(value) ?? wholeOf(value)) : wholeOf(value);
  return days === undefined ? undefined : formatDate(Number(days));
}

function timestampText(unit: TimeUnit, zone: 'utc' | 'none', value: Present): string | undefined {
  const units =
    typeof value === 'string' ? (parseTimestamp(value, unit, zone) ?? wholeOf(value)) : wholeOf(value);
  return units === undefined ? undefined : formatTimestamp(units, unit, zone);
}

function wholeOf(value: Present): bigint | undefined {
  const text = wholeText(value);
  return text === undefined ? undefined : BigInt(text);
}

function offsetText(unit: TimeUnit, value: Present): string | undefined {
  const held =
    typeof value === 'string'
      ? parseOffsetTimestamp(value, unit)
      : (value as { at: Present; offset: Present });
  if (typeof held !== 'object' || held.at === undefined || held.offset === undefined) return undefined;
  const [at, offset] = [wholeOf(held.at), wholeOf(held.offset)];
  return at === undefined || offset === undefined
    ? undefined
    : `${formatTimestamp(at, unit, 'utc')} at ${offset}`;
}

function durationText(unit: TimeUnit, value: string): string | undefined {
  const parsed = parseIsoDuration(value);
  const day = 86_400n * 1_000_000_000n;
  if (parsed === undefined || parsed.months !== 0) return undefined;
  return ((BigInt(parsed.days) * day + parsed.nanos) / (unit === 'us' ? 1000n : 1n)).toString();
}

function intervalText(given: Present): string | undefined {
  const value = typeof given === 'string' ? parseIsoDuration(given) : given;
  if (typeof value !== 'object' || !('months' in value && 'days' in value && 'nanos' in value))
    return undefined;
  return `${String(value.months)} months ${String(value.days)} days ${String(value.nanos)} ns`;
}

/** Items of a list, or of its JSON text. */
function items(value: Present): readonly Value[] | undefined {
  const held = typeof value === 'string' ? parsed(value) : value;
  return Array.isArray(held) ? (held as readonly Value[]) : undefined;
}

function members(value: Present): { readonly [name: string]: Value } | undefined {
  const held = typeof value === 'string' ? parsed(value) : value;
  const isObject =
    typeof held === 'object' && held !== null && !Array.isArray(held) && !(held instanceof Uint8Array);
  return isObject ? (held as { readonly [name: string]: Value }) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function structText(type: LogicalType, value: Present): string | undefined {
  const held = members(value);
  return (
    held &&
    `{${structFields(type)
      .map((f) => `${f.name}: ${canonicalValue(f.type, held[f.name])}`)
      .join(', ')}}`
  );
}

/** Entries in the order of their keys: maps have none. */
function mapText(key: Field, of: Field, value: Present): string | undefined {
  const plain = members(value);
  const entries = plain
    ? Object.entries(plain)
    : (items(value) as readonly (readonly [Value, Value])[] | undefined);
  const texts = entries?.map(([k, v]) => `${canonicalValue(key.type, k)} → ${canonicalValue(of.type, v)}`);
  return texts && `{${texts.sort().join(', ')}}`;
}

/** `{ tag, value }`, or an object of one member that is called like the variant. */
function unionText(variants: readonly Field[], value: Present): string | undefined {
  const held = members(value);
  if (held === undefined) return undefined;
  const tag = 'tag' in held ? held['tag'] : Object.keys(held)[0];
  const variant = variants.find(({ name }) => name === tag);
  return (
    variant &&
    `${variant.name}(${canonicalValue(variant.type, 'tag' in held ? held['value'] : held[variant.name])})`
  );
}

function joined(open: string, close: string) {
  return (text: string, item: string) =>
    text === open + close ? open + item + close : `${text.slice(0, -1)}, ${item}${close}`;
}
