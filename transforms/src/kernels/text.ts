/** Functions of strings. Positions and sizes count code points; ASCII text takes shortcuts over its bytes. */
import { bitmapBytes, setBit } from '@sluice/sdk';
import type { RE2JS } from 're2js';
import { isAscii, mapStrings, stringsOf, textOfStrings } from './text-build.js';
import { computedStatus, expectKind, hasValue, type Kernel, type Text, type Vector } from './vector.js';

function textArg(args: readonly Vector[], at: number): Text {
  return expectKind(args[at]!, 'text');
}

function textResult(args: readonly Vector[], rows: number, data: Text): Vector {
  return { length: rows, data, ...computedStatus(args, rows) };
}

/** `a + b` of strings or bytes. */
export function concat(): Kernel {
  return (args, rows) => {
    const parts = args.map((_, at) => textArg(args, at));
    const bounds = new Int32Array(rows + 1);
    for (let i = 0; i < rows; i++) {
      let size = 0;
      for (const part of parts) size += part.end[i]! - part.start[i]!;
      bounds[i + 1] = bounds[i]! + size;
    }
    const bytes = new Uint8Array(bounds[rows]!);
    const written = bounds.slice(0, rows);
    for (const part of parts) appendPart(part, bytes, written);
    const data: Text = { kind: 'text', bytes, start: bounds.subarray(0, rows), end: bounds.subarray(1) };
    return textResult(args, rows, data);
  };
}

/** Writes row i of a part at `written[i]` and moves that on. Rows are short: a loop is faster than copying calls. */
function appendPart({ bytes, start, end }: Text, into: Uint8Array, written: Int32Array): void {
  for (let i = 0; i < written.length; i++) {
    const to = end[i]!;
    let at = written[i]!;
    for (let from = start[i]!; from < to; from++) into[at++] = bytes[from]!;
    written[i] = at;
  }
}

/** How many code points a string has. */
export function textSize(): Kernel {
  return (args, rows) => {
    const { bytes, start, end } = textArg(args, 0);
    const values = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      let points = 0;
      for (let at = start[i]!; at < end[i]!; at++) if ((bytes[at]! & 0xc0) !== 0x80) points++;
      values[i] = points;
    }
    return { length: rows, data: { kind: 'numbers', values, scale: 0 }, ...computedStatus(args, rows) };
  };
}

/** How many bytes a value has. */
export function byteSize(): Kernel {
  return (args, rows) => {
    const { start, end } = textArg(args, 0);
    const values = new Float64Array(rows);
    for (let i = 0; i < rows; i++) values[i] = end[i]! - start[i]!;
    return { length: rows, data: { kind: 'numbers', values, scale: 0 }, ...computedStatus(args, rows) };
  };
}

export type TextTest = 'contains' | 'startsWith' | 'endsWith';

export function textTest(op: TextTest): Kernel {
  const holds = op === 'contains' ? containsAt : op === 'startsWith' ? startsAt : endsAt;
  return (args, rows) => {
    const text = textArg(args, 0);
    const part = textArg(args, 1);
    const values = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) if (holds(text, part, i)) setBit(values, i);
    return { length: rows, data: { kind: 'bits', values }, ...computedStatus(args, rows) };
  };
}

function partAt(text: Text, at: number, part: Text, i: number): boolean {
  const to = part.end[i]!;
  for (let from = part.start[i]!; from < to; from++, at++)
    if (text.bytes[at] !== part.bytes[from]) return false;
  return true;
}
function startsAt(text: Text, part: Text, i: number): boolean {
  const size = part.end[i]! - part.start[i]!;
  return size <= text.end[i]! - text.start[i]! && partAt(text, text.start[i]!, part, i);
}
function endsAt(text: Text, part: Text, i: number): boolean {
  const size = part.end[i]! - part.start[i]!;
  return size <= text.end[i]! - text.start[i]! && partAt(text, text.end[i]! - size, part, i);
}
function containsAt(text: Text, part: Text, i: number): boolean {
  const size = part.end[i]! - part.start[i]!;
  if (size === 0) return true;
  const first = part.bytes[part.start[i]!]!;
  const last = text.end[i]! - size;
  for (let at = text.start[i]!; at <= last; at++) {
    if (text.bytes[at] === first && partAt(text, at, part, i)) return true;
  }
  return false;
}

/** Whether a pattern is found anywhere in the text; RE2, so the time is linear in the text whatever the pattern. */
export function matches(pattern: RE2JS): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const strings = stringsOf(textArg(args, 0));
    const values = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) if (hasValue(vector, i) && pattern.test(strings[i]!)) setBit(values, i);
    return { length: rows, data: { kind: 'bits', values }, ...computedStatus(args, rows) };
  };
}

/** Lower or upper case by Unicode's default mapping, the same in every locale. */
export function changeCase(to: 'lower' | 'upper'): Kernel {
  const [first, last, turn] = to === 'lower' ? [0x41, 0x5a, 0x20] : [0x61, 0x7a, -0x20];
  return (args, rows) => {
    const text = textArg(args, 0);
    if (!isAscii(text)) {
      const map = to === 'lower' ? (s: string) => s.toLowerCase() : (s: string) => s.toUpperCase();
      return textResult(args, rows, mapStrings(args[0]!, text, map));
    }
    const bytes = new Uint8Array(text.bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      const c = text.bytes[at]!;
      bytes[at] = c >= first && c <= last ? c + turn : c;
    }
    return textResult(args, rows, { ...text, bytes });
  };
}

/** Without white space at both ends. */
export function trim(): Kernel {
  return (args, rows) => {
    const text = textArg(args, 0);
    if (!isAscii(text))
      return textResult(
        args,
        rows,
        mapStrings(args[0]!, text, (s) => s.trim()),
      );
    const start = new Int32Array(rows);
    const end = new Int32Array(rows);
    for (let i = 0; i < rows; i++) {
      let from = text.start[i]!;
      let to = text.end[i]!;
      while (from < to && isAsciiSpace(text.bytes[from]!)) from++;
      while (to > from && isAsciiSpace(text.bytes[to - 1]!)) to--;
      start[i] = from;
      end[i] = to;
    }
    return textResult(args, rows, { ...text, start, end });
  };
}

function isAsciiSpace(c: number): boolean {
  return c === 0x20 || (c >= 0x09 && c <= 0x0d);
}

/** Code points from `start` up to `end`, exclusive; positions outside the string mean its ends. */
export function substring(): Kernel {
  return (args, rows) => {
    const text = textArg(args, 0);
    const from = positions(args[1]!);
    const to = args[2] && positions(args[2]);
    const start = new Int32Array(rows);
    const end = new Int32Array(rows);
    for (let i = 0; i < rows; i++) {
      start[i] = skipPoints(text, text.start[i]!, text.end[i]!, from(i));
      end[i] = to ? skipPoints(text, start[i]!, text.end[i]!, to(i) - Math.max(0, from(i))) : text.end[i]!;
    }
    return textResult(args, rows, { ...text, start, end });
  };
}

function positions(vector: Vector): (row: number) => number {
  const { data } = vector;
  if (data.kind === 'integers') return (i) => Number(data.values[i]!);
  const { values } = expectKind(vector, 'numbers');
  return (i) => values[i]!;
}

/** The place `count` code points behind `at`. */
function skipPoints({ bytes }: Text, at: number, end: number, count: number): number {
  while (count > 0 && at < end) {
    at++;
    while (at < end && (bytes[at]! & 0xc0) === 0x80) at++;
    count--;
  }
  return at;
}

/** Every occurrence of one string replaced by another; an empty one occurs nowhere. */
export function replace(): Kernel {
  return (args, rows) => {
    const from = stringsOf(textArg(args, 1));
    const to = stringsOf(textArg(args, 2));
    const data = mapStrings(args[0]!, textArg(args, 0), (s, i) =>
      from[i] === '' ? s : s.split(from[i]!).join(to[i]!),
    );
    return textResult(args, rows, data);
  };
}

/** The parts of a string between separators; without a separator, its code points. */
export function split(): Kernel {
  return (args, rows) => {
    const strings = stringsOf(textArg(args, 0));
    const separators = stringsOf(textArg(args, 1));
    const known = computedStatus(args, rows);
    const bounds = new Int32Array(rows + 1);
    const parts: string[] = [];
    for (let i = 0; i < rows; i++) {
      if (hasValue(known, i)) for (const part of splitOne(strings[i]!, separators[i]!)) parts.push(part);
      bounds[i + 1] = parts.length;
    }
    const items: Vector = { length: parts.length, data: textOfStrings(parts) };
    const data = { kind: 'lists', start: bounds.subarray(0, rows), end: bounds.subarray(1), items } as const;
    return { length: rows, data, ...known };
  };
}

function splitOne(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}
