/**
 * Values as JSON. Numbers keep all their digits: integers of 64 bits and decimals are written as JSON numbers, which
 * exact readers take as they are; for readers that know floats only, `numbers: 'safe'` writes what such a reader would
 * round as strings. NaN, the infinities and special values are strings of their text, times ISO 8601 strings, bytes
 * base64 strings, maps objects, unions objects of one member that is called like the variant.
 */
import { type Column, getBit, type LogicalType } from '@sluice/sdk';
import type { TextOut } from '../text/text-out.js';
import { floatText, type ValueWriter, valueWriter } from '../text/value-writer.js';
import { jsonErrors } from './errors.js';

export interface JsonNumbers {
  /** Default `exact`. `safe`: decimals, and integers beyond ±(2^53 − 1), as strings. */
  readonly numbers?: 'exact' | 'safe';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = 0x20;
const HEX = '0123456789abcdef';
/** What follows the backslash for the control characters that have a letter. */
const LETTERS: { readonly [byte: number]: number } = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 };

/** A writer of one column's values, nulls included. Throws `SLUICE-JSON-0008` for UNCHANGED. */
export function jsonWriter(
  type: LogicalType,
  column: Column,
  out: TextOut,
  options: JsonNumbers = {},
): ValueWriter {
  requirePresent(column);
  if (column.data.layout === 'none') return () => out.ascii('null');
  const present = presentWriter(type, column, out, options);
  const { validity, special } = column;
  if (validity === undefined) return present;
  return (row) => {
    if (getBit(validity, row)) return present(row);
    const text = special?.get(row);
    if (text === undefined) out.ascii('null');
    else writeJsonString(out, text);
  };
}

/** Refuses columns in which a value was not sent. */
export function requirePresent(column: Column): void {
  if (column.absent?.some((bits) => bits !== 0)) {
    throw jsonErrors.notPlaceable('a row has a value that the source did not send (UNCHANGED)');
  }
}

function presentWriter(type: LogicalType, column: Column, out: TextOut, options: JsonNumbers): ValueWriter {
  const { data } = column;
  const plain = valueWriter(type, column, out, 'base64');
  if (plain !== undefined) {
    switch (type.kind) {
      case 'bool':
        return plain;
      case 'int':
        return options.numbers === 'safe' && type.bits === 64 ? safely(plain, out) : plain;
      case 'decimal':
        return options.numbers === 'safe' ? quoted(plain, out) : plain;
      case 'float': {
        const values = data.layout === 'fixed' ? (data.values as Float64Array) : new Float64Array(0);
        return (row) =>
          out.ascii(Number.isFinite(values[row]!) ? floatText(values[row]!) : `"${values[row]}"`);
      }
      default:
        return quoted(plain, out);
    }
  }
  switch (data.layout) {
    case 'varlen':
      if (type.kind === 'json')
        return (row) => writeDocument(out, data.data, data.offsets[row]!, data.offsets[row + 1]!);
      return (row) => writeJsonText(out, data.data, data.offsets[row]!, data.offsets[row + 1]!);
    case 'list':
      return type.kind === 'map'
        ? mapWriter(type, data.offsets, data.child, out, options)
        : listWriter(type, data.offsets, data.child, out, options);
    case 'struct':
      return structWriter(type, data.children, out, options);
    case 'union': {
      if (type.kind !== 'union') throw new TypeError(`a ${type.kind} has no union column`);
      const writers = type.variants.map((variant, i) =>
        jsonWriter(variant.type, data.children[i]!, out, options),
      );
      const names = type.variants.map(({ name }) => memberName(name));
      return (row) => {
        const tag = data.typeIds[row]!;
        out.ascii('{');
        out.utf8(names[tag]!);
        writers[tag]!(row);
        out.ascii('}');
      };
    }
    default:
      throw new TypeError(`a ${type.kind} has no ${data.layout} column`);
  }
}

function quoted(write: ValueWriter, out: TextOut): ValueWriter {
  return (row) => {
    out.byte(QUOTE);
    write(row);
    out.byte(QUOTE);
  };
}

/** Quotes what has more digits than a float keeps. */
function safely(write: ValueWriter, out: TextOut): ValueWriter {
  return (row) => {
    const from = out.at;
    write(row);
    const text = Buffer.from(out.bytes.buffer, from, out.at - from).toString('latin1');
    if (Number.isSafeInteger(Number(text))) return;
    out.at = from;
    out.ascii(`"${text}"`);
  };
}

function listWriter(
  type: LogicalType,
  offsets: Int32Array,
  child: Column,
  out: TextOut,
  options: JsonNumbers,
): ValueWriter {
  if (type.kind !== 'list') throw new TypeError(`a ${type.kind} has no list column`);
  const item = jsonWriter(type.item.type, child, out, options);
  return (row) => {
    out.byte(0x5b);
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      if (at > offsets[row]!) out.byte(COMMA);
      item(at);
    }
    out.byte(0x5d);
  };
}

/** Keys that are no strings are written as strings of their text. */
function mapWriter(
  type: LogicalType,
  offsets: Int32Array,
  child: Column,
  out: TextOut,
  options: JsonNumbers,
): ValueWriter {
  if (type.kind !== 'map' || child.data.layout !== 'struct')
    throw new TypeError(`a ${type.kind} has no map column`);
  const [keys, values] = child.data.children;
  const keyOut = jsonWriter(type.key.type, keys!, out, options);
  const value = jsonWriter(type.value.type, values!, out, options);
  return (row) => {
    out.byte(0x7b);
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      if (at > offsets[row]!) out.byte(COMMA);
      const from = out.at;
      keyOut(at);
      if (out.bytes[from] !== QUOTE) {
        const text = Buffer.from(out.bytes.buffer, from, out.at - from).toString('utf8');
        out.at = from;
        writeJsonString(out, text);
      }
      out.byte(0x3a);
      value(at);
    }
    out.byte(0x7d);
  };
}

function structWriter(
  type: LogicalType,
  children: readonly Column[],
  out: TextOut,
  options: JsonNumbers,
): ValueWriter {
  if (type.kind !== 'struct') throw new TypeError(`a ${type.kind} has no struct column`);
  return objectWriter(
    type.fields.map(({ name }) => name),
    type.fields.map((f, i) => jsonWriter(f.type, children[i]!, out, options)),
    out,
  );
}

/** An object of members that are written one by one. */
export function objectWriter(
  names: readonly string[],
  writers: readonly ValueWriter[],
  out: TextOut,
): ValueWriter {
  const prefixes = names.map((name, i) => Buffer.from(`${i === 0 ? '' : ','}${memberName(name)}`));
  return (row) => {
    out.byte(0x7b);
    for (let i = 0; i < writers.length; i++) {
      out.copy(prefixes[i]!, 0, prefixes[i]!.byteLength);
      writers[i]!(row);
    }
    out.byte(0x7d);
  };
}

function memberName(name: string): string {
  return `${JSON.stringify(name)}:`;
}

/** A document as it stands; line ends in it are white space by the grammar of JSON and become blanks. */
function writeDocument(out: TextOut, data: Uint8Array, from: number, to: number): void {
  out.reserve(to - from);
  const { bytes } = out;
  let p = out.at;
  for (let i = from; i < to; i++) {
    const byte = data[i]!;
    bytes[p++] = Math.max(byte, SPACE);
  }
  out.at = p;
}

export function writeJsonString(out: TextOut, text: string): void {
  const bytes = Buffer.from(text);
  writeJsonText(out, bytes, 0, bytes.byteLength);
}

/** UTF-8 text as a JSON string: only quotes, backslashes and control characters are escaped. */
function writeJsonText(out: TextOut, data: Uint8Array, from: number, to: number): void {
  out.reserve((to - from) * 6 + 2);
  const { bytes } = out;
  let p = out.at;
  bytes[p++] = QUOTE;
  for (let i = from; i < to; i++) {
    const byte = data[i]!;
    if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) {
      bytes[p++] = byte;
      continue;
    }
    bytes[p++] = BACKSLASH;
    const letter = byte < SPACE ? LETTERS[byte] : byte;
    if (letter !== undefined) {
      bytes[p++] = letter;
      continue;
    }
    for (const character of `u00${HEX[byte >> 4]}${HEX[byte & 15]}`) bytes[p++] = character.charCodeAt(0);
  }
  bytes[p++] = QUOTE;
  out.at = p;
}
