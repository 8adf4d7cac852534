/**
 * Makes columns ready for vectors: values outside their type's range are placed where DuckDB has room for them
 * (infinite and early dates and timestamps, NaN as text) and refused where it has none; nothing is bent.
 */
import {
  type Bitmap,
  type Column,
  type Field,
  type FixedArray,
  filledBitmap,
  formatType,
  getBit,
  type Layout,
  type LogicalType,
  parseDate,
  parseOffsetTimestamp,
  setBit,
  structFields,
  valueReader,
} from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';
import { INFINITE, INFINITE_DAY } from './vector-write.js';

/** The column as it can be written. Throws `SLUICE-DUCKDB-0015` for the first value that has no place. */
export function placeSpecials(f: Field, column: Column): Column {
  const inner = placeInner(f, column);
  refuseReserved(f, inner);
  if (inner.special === undefined || inner.special.size === 0) return inner;
  return inner.data.layout === 'varlen' ? placeTexts(f, inner) : placeFixed(f, inner);
}

/** Items, members and entries first. */
function placeInner(f: Field, column: Column): Column {
  const { type } = f;
  const { data } = column;
  if (data.layout === 'list') {
    if (type.kind === 'map') requireUniqueKeys(f, type, column);
    const item: Field = type.kind === 'list' ? type.item : entryField(type);
    const child = placeSpecials({ ...item, name: f.name }, data.child);
    return child === data.child ? column : { ...column, data: { ...data, child } };
  }
  if (data.layout === 'struct' || data.layout === 'union') {
    const fields = type.kind === 'union' ? type.variants : structFields(type);
    const children = data.children.map((child, i) => placeSpecials({ ...fields[i]!, name: f.name }, child));
    return children.every((child, i) => child === data.children[i])
      ? column
      : { ...column, data: { ...data, children } };
  }
  return column;
}

function entryField(type: LogicalType): Field {
  if (type.kind !== 'map') throw new TypeError(`a ${type.kind} has no entries`);
  return { name: 'entries', type: { kind: 'struct', fields: [type.key, type.value] }, nullable: false };
}

/** A DuckDB map has each key once and no null key; writing another would make a broken map. */
function requireUniqueKeys(f: Field, type: LogicalType & { kind: 'map' }, column: Column): void {
  const { offsets, child } = column.data as Extract<Column['data'], { layout: 'list' }>;
  const keys = valueReader(
    type.key.type,
    (child.data as Extract<Column['data'], { layout: 'struct' }>).children[0]!,
  );
  for (let row = 0; row < column.length; row++) {
    const seen = new Set<unknown>();
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      const key = keys(at);
      const comparable =
        typeof key === 'object' ? JSON.stringify(key, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) : key;
      if (key === null || seen.has(comparable))
        throw refused(f, row, key === null ? 'a null key' : `key ${String(comparable)} twice`);
      seen.add(comparable);
    }
  }
}

function placeTexts(f: Field, column: Column): Column {
  const { type } = f;
  const data = column.data as Extract<Column['data'], { layout: 'varlen' }>;
  const placeable =
    type.kind === 'string' || type.kind === 'native' || type.kind === 'enum' || type.kind === 'decimal';
  const parts: Uint8Array[] = [];
  const offsets = new Int32Array(column.length + 1);
  const validity = column.validity ? column.validity.slice() : filledBitmap(column.length);
  for (let row = 0; row < column.length; row++) {
    const text = column.special!.get(row);
    if (text !== undefined && !placeable) throw refused(f, row, text);
    const bytes =
      text === undefined ? data.data.subarray(data.offsets[row]!, data.offsets[row + 1]!) : Buffer.from(text);
    if (text !== undefined) setBit(validity, row);
    parts.push(bytes);
    offsets[row + 1] = offsets[row]! + bytes.byteLength;
  }
  return placed(column, { layout: 'varlen', offsets, data: Buffer.concat(parts) }, validity);
}

function placeFixed(f: Field, column: Column): Column {
  const { data } = column;
  if (data.layout !== 'fixed') throw firstRefused(f, column);
  const values = data.values.slice() as FixedArray;
  const validity = column.validity ? column.validity.slice() : filledBitmap(column.length);
  for (const [row, text] of column.special!) {
    const value = placedValue(f.type, text);
    if (value === undefined) throw refused(f, row, text);
    values[row] = value;
    setBit(validity, row);
  }
  return placed(column, { layout: 'fixed', values }, validity);
}

/** The column with its special values placed; what the source left out stays left out. */
function placed({ length, absent }: Column, data: Layout, validity: Bitmap): Column {
  return { length, data, validity, ...(absent && { absent }) };
}

function placedValue(type: LogicalType, text: string): number | bigint | undefined {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  const sign = infinite?.[1] === '-' ? -1 : 1;
  if (type.kind === 'date') return infinite ? sign * INFINITE_DAY : parseDate(isoYear(text) ?? '');
  if (type.kind === 'timestamp' && type.zone !== 'offset') {
    if (infinite) return BigInt(sign) * INFINITE;
    const parsed = parseOffsetTimestamp(isoYear(text) ?? '', type.unit);
    if (parsed === undefined || (parsed.offset === undefined) !== (type.zone === 'none')) return undefined;
    // Other systems reach further than 64 bits do from 1970.
    return BigInt.asIntN(64, parsed.at) === parsed.at ? parsed.at : undefined;
  }
  if (type.kind === 'float') {
    if (infinite) return sign * Number.POSITIVE_INFINITY;
    return /^[+-]?nan$/i.test(text) ? Number.NaN : undefined;
  }
  return undefined;
}

/** `0044-03-15 12:00:00 BC` as ISO 8601 counts years: `-000043-03-15 12:00:00`. Undefined for other texts. */
function isoYear(text: string): string | undefined {
  const match = /^0*(\d{1,6})(-\d{2}-\d{2}.*?)( BC)?$/i.exec(text);
  if (!match || Number(match[1]) === 0) return undefined;
  const year = match[3] === undefined ? Number(match[1]) : 1 - Number(match[1]);
  const digits = Math.abs(year).toString();
  return `${year >= 0 && year <= 9999 ? digits.padStart(4, '0') : `${year < 0 ? '-' : '+'}${digits.padStart(6, '0')}`}${match[2]}`;
}

/** Finite values that DuckDB would take for infinity, or cannot show, at the very ends of the integers. */
function refuseReserved(f: Field, column: Column): void {
  const { type } = f;
  const { data, length } = column;
  if (data.layout !== 'fixed' || (type.kind !== 'timestamp' && type.kind !== 'date')) return;
  if (type.kind === 'date') {
    const values = data.values as Int32Array;
    for (let row = 0; row < length; row++) {
      const day = values[row]!;
      if ((day > LAST_DAY || day < FIRST_DAY) && holds(column, row)) throw refused(f, row, `day ${day}`);
    }
    return;
  }
  // Only the high halves are looked at: reading the values would make a BigInt each.
  const halves = new Int32Array(data.values.buffer, data.values.byteOffset, length * 2);
  const first = type.unit === 'us' ? FIRST_HIGH_US : FIRST_HIGH_NS;
  for (let row = 0; row < length; row++) {
    const high = halves[row * 2 + 1]!;
    if ((high >= LAST_HIGH || high <= first) && holds(column, row))
      throw refused(f, row, `${data.values[row]}`);
  }
}

/** DuckDB's dates reach from 5877642-06-25 BC to 5881580-07-10. */
const LAST_DAY = 2 ** 31 - 2;
const FIRST_DAY = -(2 ** 31) + 2;
/** Its timestamps end a little inside of 64 bits: at 290309-12-22 BC, in nanoseconds at 1677-09-22. */
const LAST_HIGH = 0x7fff_ffff;
const FIRST_HIGH_US = -2_147_483_640;
const FIRST_HIGH_NS = -2_147_463_694;

function holds(column: Column, row: number): boolean {
  return column.validity === undefined || getBit(column.validity, row);
}

function firstRefused(f: Field, column: Column) {
  const [row, text] = column.special!.entries().next().value!;
  return refused(f, row, text);
}

function refused(f: Field, row: number, text: string) {
  return duckdbErrors.specialRefused(`column ${f.name}: ${text} has no place in ${formatType(f.type)}`, {
    details: { column: f.name, row },
  });
}
