/** `== != < <= > >=` and membership. A row in which either side is null or special has no result. */
import { bitmapBytes, getBit, powerOfTen } from '@sluice/sdk';
import { aligned, type Scaled, scaleAt, scaled } from './scales.js';
import { stringsOf } from './text-build.js';
import {
  type Bits,
  comparedStatus,
  expectKind,
  hasValue,
  type Kernel,
  Outcome,
  type Text,
  type Vector,
} from './vector.js';

export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/** `floats`: whether an operand is a double, so that integers and doubles are compared by value. */
export function compare(op: Comparison, floats: boolean): Kernel {
  const swapped = op === 'gt' || op === 'ge';
  const test = op === 'gt' ? 'lt' : op === 'ge' ? 'le' : op;
  return (args, rows) => {
    const [a, b] = swapped ? [args[1]!, args[0]!] : [args[0]!, args[1]!];
    const values =
      test === 'ne' ? inverted(compareRows('eq', a, b, rows, floats)) : compareRows(test, a, b, rows, floats);
    return { length: rows, data: { kind: 'bits', values }, ...comparedStatus(args, rows) };
  };
}

type Test = 'eq' | 'lt' | 'le';

function compareRows(test: Test, a: Vector, b: Vector, rows: number, floats: boolean): Uint8Array {
  const left = a.data;
  const right = b.data;
  if (left.kind === 'text' && right.kind === 'text') return compareText(test, left, right, rows);
  if (left.kind === 'bits' && right.kind === 'bits') return equalBits(left, right, rows);
  if (left.kind !== 'numbers' && left.kind !== 'integers')
    throw new TypeError(`${left.kind} cannot be compared`);
  if (right.kind !== 'numbers' && right.kind !== 'integers')
    throw new TypeError(`${right.kind} cannot be compared`);
  return compareNumbers(test, left, right, rows, floats);
}

function inverted(bits: Uint8Array): Uint8Array {
  for (let i = 0; i < bits.length; i++) bits[i] = ~bits[i]!;
  return bits;
}

function equalBits(a: Bits, b: Bits, rows: number): Uint8Array {
  const equal = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < equal.length; i++) equal[i] = ~(a.values[i]! ^ b.values[i]!);
  return equal;
}

function compareNumbers(test: Test, left: Scaled, right: Scaled, rows: number, floats: boolean): Uint8Array {
  // A mixed comparison of bigint and number is exact in JavaScript, so doubles need no common form.
  const { a, b } = floats ? { a: left, b: right } : aligned(left, right);
  if (a.kind === 'numbers' && b.kind === 'numbers') return compareDoubles(test, a.values, b.values, rows);
  const x: ArrayLike<number | bigint> = a.values;
  const y: ArrayLike<number | bigint> = b.values;
  const bits = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < rows; i++) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 by value is meant
    const holds = test === 'eq' ? x[i]! == y[i]! : test === 'lt' ? x[i]! < y[i]! : x[i]! <= y[i]!;
    if (holds) bits[i >> 3]! |= 1 << (i & 7);
  }
  return bits;
}

/** One loop a test, each with a constant comparison and a store per eight rows. */
function compareDoubles(test: Test, a: Float64Array, b: Float64Array, rows: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(rows));
  let byte = 0;
  if (test === 'eq') {
    for (let i = 0; i < rows; i++) {
      byte |= Number(a[i]! === b[i]!) << (i & 7);
      if ((i & 7) === 7 || i === rows - 1) {
        bits[i >> 3] = byte;
        byte = 0;
      }
    }
  } else if (test === 'lt') {
    for (let i = 0; i < rows; i++) {
      byte |= Number(a[i]! < b[i]!) << (i & 7);
      if ((i & 7) === 7 || i === rows - 1) {
        bits[i >> 3] = byte;
        byte = 0;
      }
    }
  } else {
    for (let i = 0; i < rows; i++) {
      byte |= Number(a[i]! <= b[i]!) << (i & 7);
      if ((i & 7) === 7 || i === rows - 1) {
        bits[i >> 3] = byte;
        byte = 0;
      }
    }
  }
  return bits;
}

function compareText(test: Test, a: Text, b: Text, rows: number): Uint8Array {
  const bits = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < rows; i++) {
    const holds =
      test === 'eq'
        ? textEquals(a, i, b, i)
        : test === 'lt'
          ? textOrder(a, i, b, i) < 0
          : textOrder(a, i, b, i) <= 0;
    if (holds) bits[i >> 3]! |= 1 << (i & 7);
  }
  return bits;
}

export function textEquals(a: Text, i: number, b: Text, j: number): boolean {
  let from = a.start[i]!;
  const to = a.end[i]!;
  let at = b.start[j]!;
  if (to - from !== b.end[j]! - at) return false;
  for (; from < to; from++, at++) if (a.bytes[from] !== b.bytes[at]) return false;
  return true;
}

/** Order by bytes, which for UTF-8 is order by code points. */
function textOrder(a: Text, i: number, b: Text, j: number): number {
  const from = a.start[i]!;
  const at = b.start[j]!;
  const length = a.end[i]! - from;
  const other = b.end[j]! - at;
  const common = Math.min(length, other);
  for (let k = 0; k < common; k++) {
    const difference = a.bytes[from + k]! - b.bytes[at + k]!;
    if (difference !== 0) return difference;
  }
  return length - other;
}

/** Whether the value is one of many constant strings, or of many integers in decimal notation. */
export function inSet(members: ReadonlySet<string>): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const { data } = vector;
    const keys: ArrayLike<string | number | bigint> =
      data.kind === 'text' ? stringsOf(data) : scaled(vector).values;
    const values = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) if (members.has(String(keys[i]!))) values[i >> 3]! |= 1 << (i & 7);
    return { length: rows, data: { kind: 'bits', values }, ...comparedStatus(args, rows) };
  };
}

/** Whether a list holds the value; without a match a null among the items makes the result null, as in SQL. */
export function inList(): Kernel {
  return (args, rows) => {
    const [needle, haystack] = args as [Vector, Vector];
    const { start, end, items } = expectKind(haystack, 'lists');
    const outcome = new Outcome(comparedStatus(args, rows), rows);
    const values = new Uint8Array(bitmapBytes(rows));
    const equals = itemEquals(needle, items);
    for (let i = 0; i < rows; i++) {
      let unknown = false;
      for (let at = start[i]!; at < end[i]!; at++) {
        if (!hasValue(items, at)) unknown = true;
        else if (equals(i, at)) {
          values[i >> 3]! |= 1 << (i & 7);
          unknown = false;
          break;
        }
      }
      if (unknown) outcome.makeNull(i);
    }
    return { length: rows, data: { kind: 'bits', values }, ...outcome.status() };
  };
}

function itemEquals(needle: Vector, items: Vector): (row: number, item: number) => boolean {
  const a = needle.data;
  const b = items.data;
  if (a.kind === 'text' && b.kind === 'text') return (i, at) => textEquals(a, i, b, at);
  if (a.kind === 'bits' && b.kind === 'bits') return (i, at) => getBit(a.values, i) === getBit(b.values, at);
  const x = scaled(needle);
  const y = scaled(items);
  return (i, at) => {
    const shift = scaleAt(x, i) - scaleAt(y, at);
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 by value is meant
    if (shift === 0) return x.values[i]! == y.values[at]!;
    const n = BigInt(x.values[i]!) * powerOfTen(Math.max(0, -shift));
    return n === BigInt(y.values[at]!) * powerOfTen(Math.max(0, shift));
  };
}
