/**
 * Forms of values: one text for all values that mean the same in a column of the source and the one that it is kept in
 * by the target. Types may differ: a label is text in the target, an instant may have lost its nanoseconds there. What
 * the target cannot hold is bent on the source's side in the way that the plan has said, and nothing else is.
 *
 * | kind | equal are |
 * |---|---|
 * | integers, decimals | the same number: `12.30` and `12.3` |
 * | floats | the same bits, but for zeros and for NaN, which are one each |
 * | texts, labels, native types | the same characters |
 * | uuid | the same 128 bits |
 * | bytes | the same bytes |
 * | dates, times, timestamps | the same instant or reading, whatever the unit; infinities, and years BC, by value |
 * | intervals | the same months, days and nanoseconds, each by itself |
 * | json | where either side normalises: the same document; else the same text but for spaces around it |
 * | list, struct, map, union | the same in all parts; entries of maps in any order |
 */
import {
  documentText,
  type Field,
  formatType,
  type Interval,
  type LogicalType,
  type OffsetTimestamp,
  parseDate,
  parseOffsetTimestamp,
  parseTime,
  Special,
  type TimeUnit,
  UNCHANGED,
  type UnionValue,
  type Value,
} from '@sluice/sdk';
import { decimalForm, roundedDecimal } from './decimal-form.js';
import { documentForm } from './document-form.js';

/** The form of a value, null and special ones among them. */
export type ValueForm = (value: Value | undefined) => string;

export interface FormPair {
  readonly source: ValueForm;
  readonly target: ValueForm;
}

/** The form of a value that is there. */
type PresentForm = (value: Exclude<Value, null | typeof UNCHANGED>) => string;

type Kind<K extends LogicalType['kind']> = Extract<LogicalType, { kind: K }>;

/** Forms for a column of the source and its counterpart; undefined where their values cannot be compared. */
export function valueForms(source: Field, target: Field): FormPair | undefined {
  const pair = presentForms(source, target);
  return pair && { source: withNulls(pair[0]), target: withNulls(pair[1]) };
}

function withNulls(form: PresentForm): ValueForm {
  return (value) =>
    value === null || value === undefined || value === UNCHANGED ? 'null' : `=${form(value)}`;
}

type Pair = readonly [source: PresentForm, target: PresentForm];

function presentForms({ type: from, native: origin }: Field, { type: to, native }: Field): Pair | undefined {
  if (isPlain(from) && formatType(from) === formatType(to)) return [textOf, textOf];
  if (to.kind === 'json' && NESTED.has(from.kind)) {
    return [(value) => document(documentText(from, value)), (value) => document(textOf(value))];
  }
  switch (from.kind) {
    case 'null':
      return [textOf, textOf];
    case 'bool':
      return to.kind === 'bool' ? [textOf, textOf] : isText(to) ? [boolText, boolText] : undefined;
    case 'int':
    case 'decimal':
      return numberForms(to);
    case 'float':
      return isNumber(to) || isText(to) ? floatForms(from, to) : undefined;
    case 'string':
    case 'enum':
    case 'native':
      return textForms(to, native);
    case 'json':
      return native !== undefined && native === origin ? [textOf, textOf] : jsonForms(from, to);
    case 'uuid':
      return to.kind === 'uuid' || isText(to) ? [lower, lower] : undefined;
    case 'bytes':
      return to.kind === 'bytes' ? [bytesForm, bytesForm] : undefined;
    case 'date':
      return to.kind === 'date' || isText(to) ? [dateForm, dateForm] : undefined;
    case 'time':
      return timeForms(from, to);
    case 'timestamp':
      return timestampForms(from, to);
    case 'interval':
      return to.kind === 'interval' || to.kind === 'struct' ? [intervalForm, intervalForm] : undefined;
    case 'duration':
      return durationForms(from, to);
    default:
      return nestedForms(from, to);
  }
}

/** Whether equal values of a type have equal texts: the most frequent types, whose forms are then made fastest. */
function isPlain(type: LogicalType): boolean {
  return type.kind === 'int' || type.kind === 'uuid' || (type.kind === 'decimal' && type.scale !== undefined);
}

const NESTED = new Set<LogicalType['kind']>(['list', 'struct', 'map', 'union']);
const TEXTS = new Set<LogicalType['kind']>(['string', 'enum', 'native']);
const NUMBERS = new Set<LogicalType['kind']>(['int', 'decimal', 'float']);

function isText({ kind }: LogicalType): boolean {
  return TEXTS.has(kind);
}

function isNumber({ kind }: LogicalType): boolean {
  return NUMBERS.has(kind);
}

function textOf(value: Value): string {
  return value instanceof Special ? value.text : String(value);
}

function lower(value: Value): string {
  return textOf(value).toLowerCase();
}

function boolText(value: Value): string {
  const text = lower(value);
  return text === 't' ? 'true' : text === 'f' ? 'false' : text;
}

function document(text: string): string {
  return documentForm(text) ?? text;
}

function bytesForm(value: Value): string {
  if (!(value instanceof Uint8Array)) return textOf(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

function numberForms(to: LogicalType): Pair | undefined {
  if (to.kind === 'float') return floatForms({ kind: 'float', bits: 64 }, to);
  if (!isNumber(to) && !isText(to)) return undefined;
  const form: PresentForm = (value) => {
    const text = textOf(value);
    return decimalForm(text) ?? lower(value);
  };
  if (to.kind !== 'decimal' || to.scale === undefined) return [form, form];
  const { scale } = to;
  return [(value) => form(value instanceof Special ? value : roundedDecimal(textOf(value), scale)), form];
}

function floatForms(from: Kind<'float'>, to: LogicalType): Pair {
  const narrow = to.kind === 'float' && to.bits === 32;
  const form = (value: Value): string => {
    const number = typeof value === 'number' ? value : floatOf(textOf(value));
    if (number === undefined) return textOf(value);
    const kept = narrow || from.bits === 32 ? Math.fround(number) : number;
    // Zero has no sign: some systems do not keep it.
    return String(kept + 0);
  };
  return [form, form];
}

const FLOAT_WORDS: { readonly [word: string]: number } = {
  nan: Number.NaN,
  infinity: Infinity,
  inf: Infinity,
  '-infinity': -Infinity,
  '-inf': -Infinity,
};

function floatOf(text: string): number | undefined {
  const word = FLOAT_WORDS[text.toLowerCase()];
  if (word !== undefined) return word;
  return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}

/** Types that pad their texts with spaces do so to all of them. */
const PADDED = /^(character|char|bpchar)\b(?! varying)/i;

function textForms(to: LogicalType, native: string | undefined): Pair | undefined {
  if (to.kind === 'json') return [textOf, textOf];
  if (!isText(to)) return undefined;
  const form: PresentForm =
    native !== undefined && PADDED.test(native) ? (v) => textOf(v).replace(/ +$/, '') : textOf;
  return [form, form];
}

function jsonForms(from: Kind<'json'>, to: LogicalType): Pair | undefined {
  if (to.kind !== 'json') return isText(to) ? [textOf, textOf] : undefined;
  const normalised = from.text === 'normalised' || to.text === 'normalised';
  const form: PresentForm = normalised ? (value) => document(textOf(value)) : (value) => textOf(value).trim();
  return [form, form];
}

function infinity(text: string): string | undefined {
  const match = /^([+-]?)inf(inity)?$/i.exec(text);
  return match === null ? undefined : `${match[1] === '-' ? '-' : ''}infinity`;
}

/** `0044-03-15 12:00:00 BC` as ISO 8601 counts years: `-000043-03-15 12:00:00`. */
function isoYear(text: string): string {
  const match = /^0*(\d{1,6})(-\d{2}-\d{2}.*?)( BC)?$/i.exec(text);
  if (match === null) return text;
  const year = match[3] === undefined ? Number(match[1]) : 1 - Number(match[1]);
  const size = Math.abs(year).toString();
  const digits = year >= 0 && year <= 9999 ? size.padStart(4, '0') : size.padStart(6, '0');
  return `${year < 0 ? '-' : year > 9999 ? '+' : ''}${digits}${match[2]}`;
}

function dateForm(value: Value): string {
  if (typeof value === 'number') return value.toString();
  const text = textOf(value);
  return infinity(text) ?? parseDate(isoYear(text))?.toString() ?? text;
}

function nanosOf(unit: TimeUnit): bigint {
  return unit === 'ns' ? 1n : 1000n;
}

function floorTo(value: bigint, step: bigint): bigint {
  const rest = value % step;
  return value - (rest < 0n ? rest + step : rest);
}

function unitOf(type: LogicalType, other: TimeUnit): TimeUnit {
  return 'unit' in type ? type.unit : other;
}

function timeForms(from: Kind<'time'>, to: LogicalType): Pair | undefined {
  if (to.kind !== 'time' && !isText(to)) return undefined;
  const unit = unitOf(to, from.unit);
  const form =
    (own: TimeUnit): PresentForm =>
    (value) => {
      const units = typeof value === 'bigint' ? value : parseTime(textOf(value), own);
      return units === undefined ? textOf(value) : floorTo(units * nanosOf(own), nanosOf(unit)).toString();
    };
  return [form(from.unit), form(unit)];
}

function timestampForms(from: Kind<'timestamp'>, to: LogicalType): Pair | undefined {
  if (to.kind !== 'timestamp' && to.kind !== 'struct' && !isText(to)) return undefined;
  const unit = to.kind === 'struct' ? memberUnit(to, from.unit) : unitOf(to, from.unit);
  const keepsOffset =
    from.zone === 'offset' && (to.kind === 'struct' || (to.kind === 'timestamp' && to.zone === 'offset'));
  const isSame = unit === from.unit && !keepsOffset;
  const form =
    (own: TimeUnit): PresentForm =>
    (value) => {
      if (isSame && typeof value === 'bigint') return value.toString();
      const held = instantOf(value, own);
      if (typeof held === 'string') return held;
      if (isSame) return held.at.toString();
      const at = floorTo(held.at * nanosOf(own), nanosOf(unit)).toString();
      return keepsOffset ? `${at}@${held.offset}` : at;
    };
  return [form(from.unit), form(unit)];
}

function memberUnit(type: Kind<'struct'>, other: TimeUnit): TimeUnit {
  const at = type.fields.find(({ name }) => name === 'at');
  return at === undefined ? other : unitOf(at.type, other);
}

/** The instant or reading that a value stands for; the text of one that is none. */
function instantOf(value: Value, unit: TimeUnit): { at: bigint; offset: number } | string {
  if (typeof value === 'bigint') return { at: value, offset: 0 };
  if (typeof value === 'object' && value !== null && 'at' in value && 'offset' in value) {
    const { at, offset } = value as OffsetTimestamp;
    return typeof at === 'bigint' ? { at, offset } : textOf(at as Value);
  }
  const text = textOf(value);
  const parsed = parseOffsetTimestamp(isoYear(text), unit);
  return infinity(text) ?? (parsed === undefined ? text : { at: parsed.at, offset: parsed.offset ?? 0 });
}

function intervalForm(value: Value): string {
  if (typeof value !== 'object' || value === null || !('months' in value)) return textOf(value);
  const { months, days, nanos } = value as Interval;
  return `${months} ${days} ${nanos}`;
}

function durationForms(from: Kind<'duration'>, to: LogicalType): Pair | undefined {
  const step = to.kind === 'interval' ? 1000n : nanosOf(unitOf(to, from.unit));
  if (to.kind !== 'interval' && to.kind !== 'duration' && to.kind !== 'int') return undefined;
  const form =
    (own: bigint): PresentForm =>
    (value) => {
      if (typeof value === 'bigint') return `0 0 ${floorTo(value * own, step)}`;
      return intervalForm(value);
    };
  return [form(nanosOf(from.unit)), form(to.kind === 'int' ? nanosOf(from.unit) : step)];
}

function nestedForms(from: LogicalType, to: LogicalType): Pair | undefined {
  if (from.kind === 'list' && to.kind === 'list') return listForms(from.item, to.item);
  if (from.kind === 'struct' && to.kind === 'struct') return structForms(from.fields, to.fields);
  if (from.kind === 'map' && to.kind === 'map') return mapForms(from, to);
  if (from.kind === 'union' && to.kind === 'union') return unionForms(from.variants, to.variants);
  return undefined;
}

/** Parts are told apart by their lengths, so that no two values have one form. */
function part(form: string): string {
  return `${form.length}:${form}`;
}

function listForms(from: Field, to: Field): Pair | undefined {
  const item = valueForms(from, to);
  const form =
    (of: ValueForm): PresentForm =>
    (value) =>
      Array.isArray(value)
        ? (value as readonly Value[]).map((each) => part(of(each))).join('')
        : textOf(value);
  return item && [form(item.source), form(item.target)];
}

function structForms(from: readonly Field[], to: readonly Field[]): Pair | undefined {
  const members = from.map((f) => {
    const other = counterpart(f.name, to);
    const forms = other && valueForms(f, other);
    return forms && { source: [f.name, forms.source] as const, target: [other.name, forms.target] as const };
  });
  if (!members.every((member) => member !== undefined)) return undefined;
  const form =
    (side: 'source' | 'target'): PresentForm =>
    (value) => {
      if (value instanceof Special || typeof value !== 'object') return textOf(value);
      const held = value as { readonly [name: string]: Value };
      return members.map((member) => part(member[side][1](held[member[side][0]]))).join('');
    };
  return [form('source'), form('target')];
}

/** The field of that name; where there is none, the only one whose name differs by case alone. */
export function counterpart(name: string, fields: readonly Field[]): Field | undefined {
  const exact = fields.find((field) => field.name === name);
  const alike = fields.filter((field) => field.name.toLowerCase() === name.toLowerCase());
  return exact ?? (alike.length === 1 ? alike[0] : undefined);
}

function mapForms(from: Kind<'map'>, to: Kind<'map'>): Pair | undefined {
  const key = valueForms(from.key, to.key);
  const held = valueForms(from.value, to.value);
  if (key === undefined || held === undefined) return undefined;
  const form =
    (side: 'source' | 'target'): PresentForm =>
    (value) => {
      if (!Array.isArray(value)) return textOf(value);
      const entries = value as unknown as readonly (readonly [Value, Value])[];
      return entries
        .map(([k, v]) => part(key[side](k)) + part(held[side](v)))
        .sort()
        .join('');
    };
  return [form('source'), form('target')];
}

function unionForms(from: readonly Field[], to: readonly Field[]): Pair | undefined {
  const forms = new Map<string, FormPair>();
  for (const variant of from) {
    const other = counterpart(variant.name, to);
    const pair = other && valueForms(variant, other);
    if (pair === undefined) return undefined;
    forms.set(variant.name.toLowerCase(), pair);
  }
  const form =
    (side: 'source' | 'target'): PresentForm =>
    (value) => {
      if (value instanceof Special || typeof value !== 'object') return textOf(value);
      const { tag, value: held } = value as UnionValue;
      const of = forms.get(tag.toLowerCase());
      return `${part(tag.toLowerCase())}${of === undefined ? textOf(held) : of[side](held)}`;
    };
  return [form('source'), form('target')];
}
