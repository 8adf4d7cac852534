/** Building and reading text vectors. */
import { isAscii as isAsciiBuffer } from 'node:buffer';
import { getBit } from '@sluice/sdk';
import { hasValue, type Status, type Text, type Vector } from './vector.js';

const NO_ROWS = new Int32Array(0);

/** UTF-8 text that is written piece by piece, row after row. */
export class TextBuilder {
  bytes: Buffer;
  at = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(Math.max(capacity, 64));
  }

  /** Makes room for `more` bytes behind `at`. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + more));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  string(text: string): void {
    this.reserve(text.length * 3);
    this.at += this.bytes.write(text, this.at);
  }
}

/** Whether all bytes that the rows of a text use are ASCII. */
export function isAscii(text: Text): boolean {
  const { bytes, start, end } = text;
  const range = usedRange(text);
  if (range) return isAsciiBuffer(bytes.subarray(range.from, range.to));
  for (let i = 0; i < start.length; i++) if (!isAsciiBuffer(bytes.subarray(start[i]!, end[i]!))) return false;
  return true;
}

/** The bytes between the first and the last that rows use, unless they are few among many. */
function usedRange({ start, end }: Text): { from: number; to: number } | undefined {
  let from = start[0] ?? 0;
  let to = end[0] ?? 0;
  let used = 0;
  for (let i = 0; i < start.length; i++) {
    if (start[i]! < from) from = start[i]!;
    if (end[i]! > to) to = end[i]!;
    used += end[i]! - start[i]!;
  }
  return to - from <= used * 2 + 64 ? { from, to } : undefined;
}

/** The rows as JavaScript strings. ASCII text is decoded as a whole and cut, which is far faster. */
export function stringsOf(text: Text): string[] {
  const { bytes, start, end } = text;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = new Array(start.length);
  const range = usedRange(text);
  if (range && isAsciiBuffer(bytes.subarray(range.from, range.to))) {
    const whole = buffer.toString('latin1', range.from, range.to);
    for (let i = 0; i < strings.length; i++)
      strings[i] = whole.slice(start[i]! - range.from, end[i]! - range.from);
  } else {
    for (let i = 0; i < strings.length; i++) strings[i] = buffer.toString('utf8', start[i]!, end[i]!);
  }
  return strings;
}

/** One string of a text. */
export function stringAt({ bytes, start, end }: Text, i: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start[i]!, end[i]! - start[i]!).toString();
}

export function textOfStrings(strings: readonly string[]): Text {
  const builder = new TextBuilder(strings.length * 16);
  const bounds = new Int32Array(strings.length + 1);
  for (let i = 0; i < strings.length; i++) {
    builder.string(strings[i]!);
    bounds[i + 1] = builder.at;
  }
  return textOf(builder, bounds);
}

/** A text whose row i ends at `bounds[i + 1]`, where the next begins. */
export function textOf(builder: TextBuilder, bounds: Int32Array): Text {
  const rows = bounds.length - 1;
  return {
    kind: 'text',
    bytes: builder.bytes.subarray(0, builder.at),
    start: bounds.subarray(0, rows),
    end: bounds.subarray(1),
  };
}

/** The varlen buffers of a text: rows one behind the other, empty where there is no value. */
export function compact(text: Text, rows: Status): { offsets: Int32Array; data: Uint8Array } {
  const { bytes, start, end } = text;
  const n = start.length;
  const offsets = new Int32Array(n + 1);
  const base = n > 0 ? start[0]! : 0;
  let contiguous = true;
  for (let i = 0; i < n; i++) {
    const empty = rows.validity !== undefined && !getBit(rows.validity, i);
    if (start[i] !== base + offsets[i]! || (empty && end[i] !== start[i])) contiguous = false;
    offsets[i + 1] = offsets[i]! + (empty ? 0 : end[i]! - start[i]!);
  }
  if (contiguous) return { offsets, data: bytes.subarray(base, base + offsets[n]!) };
  const data = new Uint8Array(offsets[n]!);
  for (let i = 0; i < n; i++) {
    const to = offsets[i + 1]!;
    for (let at = offsets[i]!, from = start[i]!; at < to; at++, from++) data[at] = bytes[from]!;
  }
  return { offsets, data };
}

/** Applies a function of strings to the rows that have a value. */
export function mapStrings(vector: Vector, text: Text, map: (value: string, row: number) => string): Text {
  if (vector.length === 0) return { kind: 'text', bytes: new Uint8Array(0), start: NO_ROWS, end: NO_ROWS };
  const strings = stringsOf(text);
  for (let i = 0; i < strings.length; i++) strings[i] = hasValue(vector, i) ? map(strings[i]!, i) : '';
  return textOfStrings(strings);
}
