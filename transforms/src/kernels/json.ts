/** Access to JSON documents: parts of them as views of the text, and parts as values of other types. */
import { bitmapBytes, filledBitmap, formatType, type LogicalType, setBit } from '@sluice/sdk';
import { inRange } from './arithmetic.js';
import { readDecimal } from './decimal-text.js';
import { JsonSeeker, type JsonStep, MalformedJson } from './json-seek.js';
import { scaled } from './scales.js';
import { stringAt, textOfStrings } from './text-build.js';
import { parseUnits } from './time.js';
import { fitDecimal, integersOf, toBool, toDecimal, toDouble, toInteger } from './to-number.js';
import { toUuid } from './to-text.js';
import {
  comparedStatus,
  computedStatus,
  expectKind,
  hasValue,
  type Kernel,
  Outcome,
  status,
  type Text,
  type Vector,
} from './vector.js';

const MALFORMED = 'the document is no JSON';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A part of a document, as JSON again. Null where the document has no such part, or null there. */
export function jsonPath(path: readonly JsonStep[]): Kernel {
  const seeker = new JsonSeeker(path);
  return (args, rows) => {
    const { bytes, start: from, end: to } = expectKind(args[0]!, 'text');
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const start = new Int32Array(rows);
    const end = new Int32Array(rows);
    for (let i = 0; i < rows; i++) {
      if (!hasValue(args[0]!, i)) continue;
      const found = seekRow(seeker, bytes, from[i]!, to[i]!, i, outcome);
      if (!found || isNullText(bytes, seeker.start, seeker.end)) {
        outcome.makeNull(i);
      } else {
        start[i] = seeker.start;
        end[i] = seeker.end;
      }
    }
    return { length: rows, data: { kind: 'text', bytes, start, end }, ...outcome.status() };
  };
}

function seekRow(
  seeker: JsonSeeker,
  bytes: Uint8Array,
  from: number,
  to: number,
  row: number,
  outcome: Outcome,
): boolean {
  try {
    return seeker.seek(bytes, from, to);
  } catch (error) {
    if (!(error instanceof MalformedJson) && !(error instanceof SyntaxError)) throw error;
    outcome.fail(row, MALFORMED);
    return false;
  }
}

function isNullText(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 4 && bytes[start] === 0x6e && bytes[start + 1] === 0x75 && bytes[start + 2] === 0x6c;
}

/** Whether a document has a part, even if it is null. */
export function jsonHas(path: readonly JsonStep[]): Kernel {
  const seeker = new JsonSeeker(path);
  return (args, rows) => {
    const { bytes, start, end } = expectKind(args[0]!, 'text');
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const values = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) {
      if (hasValue(args[0]!, i) && seekRow(seeker, bytes, start[i]!, end[i]!, i, outcome)) setBit(values, i);
    }
    return { length: rows, data: { kind: 'bits', values }, ...outcome.status() };
  };
}

/** Text of a JSON value: a string without quotes and escapes, everything else as it stands. */
export function jsonText(): Kernel {
  return (args, rows) => {
    const text = expectKind(args[0]!, 'text');
    const outcome = new Outcome(computedStatus(args, rows), rows);
    return { length: rows, data: unquoted(args[0]!, text, outcome), ...outcome.status() };
  };
}

/** Strings inside their quotes; those with escapes are decoded into bytes behind the others. */
function unquoted(vector: Vector, text: Text, outcome: Outcome): Text {
  const { bytes } = text;
  const rows = text.start.length;
  const start = text.start.slice();
  const end = text.end.slice();
  const decoded: Buffer[] = [];
  let behind = bytes.length;
  for (let i = 0; i < rows; i++) {
    if (!hasValue(vector, i)) continue;
    if (isNullText(bytes, start[i]!, end[i]!)) outcome.makeNull(i);
    if (!isString(text, i)) continue;
    if (!hasEscape(bytes, start[i]!, end[i]!)) {
      start[i]!++;
      end[i]!--;
      continue;
    }
    const plain = decodeString(text, i, outcome);
    decoded.push(plain);
    start[i] = behind;
    behind += plain.length;
    end[i] = behind;
  }
  if (decoded.length === 0) return { kind: 'text', bytes, start, end };
  return { kind: 'text', bytes: Buffer.concat([bytes, ...decoded]), start, end };
}

function isString({ bytes, start, end }: Text, row: number): boolean {
  return end[row]! > start[row]! && bytes[start[row]!] === QUOTE;
}

function hasEscape(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

function decodeString(text: Text, row: number, outcome: Outcome): Buffer {
  try {
    return Buffer.from(String(JSON.parse(stringAt(text, row))));
  } catch {
    outcome.fail(row, MALFORMED);
    return Buffer.alloc(0);
  }
}

/**
 * A JSON value as another type, for conversions: `int(doc.id)`. Numbers may be written as JSON strings; text that
 * is no such value is an error of its row.
 */
export function jsonTo(to: LogicalType): Kernel {
  const text = jsonText();
  const convert = fromText(to);
  return (args, rows) => convert([text(args, rows)], rows);
}

const STRING: LogicalType = { kind: 'string' };

function fromText(to: LogicalType): Kernel {
  switch (to.kind) {
    case 'int':
      return (args, rows) => wholeDecimal(args, rows, to);
    case 'float':
      return toDouble(STRING);
    case 'decimal':
      return toDecimal(STRING, to);
    case 'bool':
      return toBool();
    case 'uuid':
      return toUuid();
    default:
      throw new TypeError(`JSON to ${formatType(to)}`);
  }
}

/** Whole numbers in any JSON notation: `1`, `1.0`, `1e3`. */
function wholeDecimal(args: readonly Vector[], rows: number, to: LogicalType): Vector {
  const decimals = toDecimal(STRING, { kind: 'decimal' })(args, rows);
  const outcome = new Outcome(comparedStatus([decimals], rows), rows);
  const whole = fitDecimal(scaled(decimals), { kind: 'decimal', precision: 40, scale: 0 }, outcome);
  const result: Vector = { length: rows, data: whole, ...outcome.status() };
  return toInteger(to, to)([result], rows);
}

/**
 * A JSON value as the type it is compared with. Leniently: a value of another JSON type is null, so that it never
 * matches, and the row is not in error.
 */
export function jsonAs(to: LogicalType): Kernel {
  return (args, rows) => {
    const text = expectKind(args[0]!, 'text');
    const known = computedStatus(args, rows);
    const outcome = new Outcome(known, rows);
    if (to.kind === 'string' || to.kind === 'enum') {
      for (let i = 0; i < rows; i++) if (!isString(text, i)) outcome.makeNull(i);
      const data = unquoted(args[0]!, text, outcome);
      return { length: rows, data, ...outcome.status() };
    }
    if (to.kind === 'bool') return jsonBools(text, outcome, rows);
    if (to.kind === 'float' || to.kind === 'decimal') return jsonNumbers(text, to, outcome, rows);
    return jsonUnits(args[0]!, text, to, outcome, rows);
  };
}

function jsonBools(text: Text, outcome: Outcome, rows: number): Vector {
  const values = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < rows; i++) {
    const word = stringAt(text, i);
    if (word === 'true') setBit(values, i);
    else if (word !== 'false') outcome.makeNull(i);
  }
  return { length: rows, data: { kind: 'bits', values }, ...outcome.status() };
}

function jsonNumbers(text: Text, to: LogicalType, outcome: Outcome, rows: number): Vector {
  const scale = new Int32Array(rows);
  const doubles = new Float64Array(rows);
  const values: bigint[] = new Array(rows).fill(0n);
  for (let i = 0; i < rows; i++) {
    const written = stringAt(text, i);
    const read = readDecimal(written);
    if (read === undefined) {
      outcome.makeNull(i);
    } else {
      values[i] = read.unscaled;
      scale[i] = read.scale;
      doubles[i] = Number(written);
    }
  }
  if (to.kind === 'float') {
    return { length: rows, data: { kind: 'numbers', values: doubles, scale: 0 }, ...outcome.status() };
  }
  return { length: rows, data: { kind: 'integers', values, scale }, ...outcome.status() };
}

/** Dates, times and UUIDs stand in JSON as strings. */
function jsonUnits(vector: Vector, text: Text, to: LogicalType, outcome: Outcome, rows: number): Vector {
  const strings = textOfStrings(
    Array.from({ length: rows }, (_, i) => (isString(text, i) ? stringAt(text, i) : '""')),
  );
  const plain = unquoted({ ...vector, ...status(filledBitmap(rows)) }, strings, outcome);
  if (to.kind === 'uuid') {
    const read = toUuid()([{ length: rows, data: plain }], rows);
    for (let i = 0; i < rows; i++) if (!hasValue(read, i)) outcome.makeNull(i);
    return { length: rows, data: read.data, ...outcome.status() };
  }
  const units = Array.from({ length: rows }, (_, i) => {
    const parsed = parseUnits(to, stringAt(plain, i));
    if (parsed === undefined) outcome.makeNull(i);
    return parsed ?? 0n;
  });
  return inRange(to, integersOf(units), outcome, rows);
}
