/** `string(x)`, `bytes(x)`, `uuid(x)`. */
import { isUtf8 } from 'node:buffer';
import {
  bitmapBytes,
  filledBitmap,
  formatDate,
  formatDecimal,
  formatTime,
  formatTimestamp,
  formatType,
  formatUuid,
  getBit,
  type LogicalType,
  parseUuid,
  setBit,
  unitsPerSecond,
} from '@sluice/sdk';
import { canonicalDecimal } from './decimal-text.js';
import { digitsOf } from './digits.js';
import { scaleAt, scaled } from './scales.js';
import { stringsOf, textOfStrings } from './text-build.js';
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

/** Text of a value: ISO 8601 for dates and times, plain notation for numbers. A special value is its own text. */
export function toText(from: LogicalType): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    if (from.kind === 'bytes') return textOfBytes(vector, rows);
    return withSpecialText(vector, textOf(from, vector, rows), rows);
  };
}

function textOf(from: LogicalType, vector: Vector, rows: number): Text {
  const { data } = vector;
  if (data.kind === 'text' && from.kind !== 'uuid') return data;
  if (
    data.kind === 'numbers' &&
    (from.kind === 'int' || (from.kind === 'decimal' && from.scale !== undefined))
  ) {
    return digitsOf(data.values, data.scale);
  }
  const format = formatter(from, vector);
  const strings: string[] = new Array(rows);
  for (let i = 0; i < rows; i++) strings[i] = hasValue(vector, i) ? format(i) : '';
  return textOfStrings(strings);
}

function formatter(from: LogicalType, vector: Vector): (row: number) => string {
  switch (from.kind) {
    case 'bool': {
      const { values } = expectKind(vector, 'bits');
      return (i) => (getBit(values, i) ? 'true' : 'false');
    }
    case 'uuid': {
      const { bytes, start } = expectKind(vector, 'text');
      return (i) => formatUuid(bytes, start[i]!);
    }
    case 'float': {
      const { values } = expectKind(vector, 'numbers');
      return (i) => String(values[i]!);
    }
  }
  const data = scaled(vector);
  const unitsAt = (i: number) => BigInt(data.values[i]!);
  switch (from.kind) {
    case 'int':
      return (i) => unitsAt(i).toString();
    case 'decimal':
      if (from.scale === undefined) return (i) => canonicalDecimal(unitsAt(i), scaleAt(data, i));
      return (i) => formatDecimal(unitsAt(i), scaleAt(data, i));
    case 'date':
      return (i) => formatDate(Number(data.values[i]!));
    case 'time':
      return (i) => formatTime(unitsAt(i), from.unit);
    case 'timestamp': {
      const zone = from.zone === 'none' ? 'none' : 'utc';
      return (i) => formatTimestamp(unitsAt(i), from.unit, zone);
    }
    case 'duration': {
      const digits = unitsPerSecond(from.unit) === 1_000_000n ? 6 : 9;
      return (i) => `${canonicalDecimal(unitsAt(i), digits)}s`;
    }
    default:
      throw new TypeError(`no text of ${formatType(from)}`);
  }
}

/** The text, with that of special values in their rows. */
function withSpecialText(vector: Vector, text: Text, rows: number): Vector {
  const { special, validity, errors } = vector;
  if (special === undefined || special.size === 0)
    return { length: rows, data: text, ...status(validity, errors) };
  const known = validity?.slice(0, bitmapBytes(rows)) ?? filledBitmap(rows);
  const extra = Buffer.from([...special.values()].join(''));
  const bytes = Buffer.concat([text.bytes, extra]);
  const start = text.start.slice();
  const end = text.end.slice();
  let at = text.bytes.length;
  for (const [row, written] of special) {
    setBit(known, row);
    start[row] = at;
    at += Buffer.byteLength(written);
    end[row] = at;
  }
  return { length: rows, data: { kind: 'text', bytes, start, end }, ...status(known, errors) };
}

function textOfBytes(vector: Vector, rows: number): Vector {
  const text = expectKind(vector, 'text');
  const outcome = new Outcome(computedStatus([vector], rows), rows);
  for (let i = 0; i < rows; i++) {
    if (!isUtf8(text.bytes.subarray(text.start[i]!, text.end[i]!)))
      outcome.fail(i, 'the bytes are no UTF-8 text');
  }
  return { length: rows, data: text, ...outcome.status() };
}

/** The UTF-8 bytes of a string: the same bytes, of another type. */
export function toBytes(): Kernel {
  return (args, rows) => ({ length: rows, data: args[0]!.data, ...comparedStatus(args, rows) });
}

export function toUuid(): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const strings = stringsOf(expectKind(vector, 'text'));
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const bytes = new Uint8Array(rows * 16);
    const bounds = new Int32Array(rows + 1);
    for (let i = 0; i < rows; i++) {
      if (!parseUuid(strings[i]!, bytes, i * 16)) outcome.fail(i, `${JSON.stringify(strings[i])} is no UUID`);
      bounds[i + 1] = (i + 1) * 16;
    }
    const data: Text = { kind: 'text', bytes, start: bounds.subarray(0, rows), end: bounds.subarray(1) };
    return { length: rows, data, ...outcome.status() };
  };
}
