/**
 * The grammar of JSON (RFC 8259), checked while passing over bytes: nothing is decoded and nothing allocated. A string
 * with half of a surrogate pair is refused, since no text could hold it.
 */
import { ESCAPED, QUOTED } from '../text/cells.js';
import { hexDigit } from './unescape.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const POINT = 0x2e;
const MAX_DEPTH = 200;

/** What is wrong with a record. */
export type JsonProblem = 'grammar' | 'not-an-object' | 'unknown-member';

/** Ran into the end of what may be read: a line's, or the block's. */
export const CUT: number = -1;
/** Ran into something that is no JSON. */
export const WRONG: number = -2;

/** Every method passes one thing and returns the offset behind it, CUT or WRONG. */
export class JsonGrammar {
  /** What was wrong where the last pass failed. */
  problem: JsonProblem = 'grammar';
  /** Where in the block that was. */
  problemAt = 0;
  /** Whether the string that was passed last has escapes. */
  protected quoteKind: number = QUOTED;

  protected fail(problem: JsonProblem, at: number): number {
    this.problem = problem;
    this.problemAt = at;
    return WRONG;
  }

  /** Afterwards `quoteKind` says what a string was. */
  protected value(bytes: Uint8Array, p: number, end: number, depth: number): number {
    if (p >= end) return CUT;
    switch (bytes[p]) {
      case QUOTE:
        return this.string(bytes, p, end);
      case OPEN_BRACE:
      case OPEN_BRACKET:
        return this.container(bytes, p, end, depth);
      case 0x74:
        return this.word(bytes, p, end, 'true');
      case 0x66:
        return this.word(bytes, p, end, 'false');
      case 0x6e:
        return this.word(bytes, p, end, 'null');
      default:
        return this.number(bytes, p, end);
    }
  }

  private word(bytes: Uint8Array, p: number, end: number, word: string): number {
    for (let i = 0; i < word.length; i++) {
      if (p + i >= end) return CUT;
      if (bytes[p + i] !== word.charCodeAt(i)) return this.fail('grammar', p + i);
    }
    return p + word.length;
  }

  private number(bytes: Uint8Array, from: number, end: number): number {
    let p = from;
    if (bytes[p] === MINUS) p++;
    if (p >= end) return CUT;
    const first = bytes[p]!;
    p = digits(bytes, p, end);
    if (first < 0x30 || first > 0x39 || (first === 0x30 && p > from + (bytes[from] === MINUS ? 2 : 1))) {
      return this.fail('grammar', from);
    }
    if (p < end && bytes[p] === POINT) {
      const next = digits(bytes, p + 1, end);
      if (next === p + 1) return next >= end ? CUT : this.fail('grammar', next);
      p = next;
    }
    if (p < end && (bytes[p]! | 0x20) === 0x65) {
      p++;
      if (p < end && (bytes[p] === MINUS || bytes[p] === 0x2b)) p++;
      const next = digits(bytes, p, end);
      if (next === p) return next >= end ? CUT : this.fail('grammar', next);
      p = next;
    }
    return p;
  }

  protected string(bytes: Uint8Array, from: number, end: number): number {
    this.quoteKind = QUOTED;
    let p = from + 1;
    for (;;) {
      let byte = bytes[p]!;
      while (byte !== QUOTE && byte !== BACKSLASH && byte >= SPACE) byte = bytes[++p]!;
      if (p >= end) return CUT;
      if (byte === QUOTE) return p + 1;
      if (byte !== BACKSLASH) return this.fail('grammar', p);
      this.quoteKind = ESCAPED;
      if (p + 1 >= end) return CUT;
      const letter = bytes[p + 1]!;
      if (letter === 0x75) {
        const next = this.unicode(bytes, p, end);
        if (next < 0) return next;
        p = next;
      } else if (ESCAPES.has(letter)) {
        p += 2;
      } else {
        return this.fail('grammar', p + 1);
      }
    }
  }

  /** Passes `\uXXXX`, or two of them that make a surrogate pair: half a pair is no character. */
  private unicode(bytes: Uint8Array, p: number, end: number): number {
    const unit = hexAt(bytes, p + 2, end);
    if (unit < 0) return unit === CUT ? CUT : this.fail('grammar', p);
    if (unit < 0xd800 || unit > 0xdfff) return p + 6;
    if (p + 7 >= end) return CUT;
    const low = bytes[p + 6] === BACKSLASH && bytes[p + 7] === 0x75 ? hexAt(bytes, p + 8, end) : WRONG;
    if (low === CUT) return CUT;
    return unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? p + 12 : this.fail('grammar', p);
  }

  private container(bytes: Uint8Array, from: number, end: number, depth: number): number {
    if (depth > MAX_DEPTH) return this.fail('grammar', from);
    const isObject = bytes[from] === OPEN_BRACE;
    const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
    let p = skipSpace(bytes, from + 1, end);
    if (p < end && bytes[p] === close) return p + 1;
    for (;;) {
      if (isObject) {
        if (p >= end) return CUT;
        if (bytes[p] !== QUOTE) return this.fail('grammar', p);
        p = this.string(bytes, p, end);
        if (p < 0) return p;
        p = skipSpace(bytes, p, end);
        if (p >= end) return CUT;
        if (bytes[p] !== COLON) return this.fail('grammar', p);
        p = skipSpace(bytes, p + 1, end);
      }
      p = this.value(bytes, p, end, depth + 1);
      if (p < 0) return p;
      p = skipSpace(bytes, p, end);
      if (p >= end) return CUT;
      const byte = bytes[p++];
      if (byte === close) return p;
      if (byte !== COMMA) return this.fail('grammar', p - 1);
      p = skipSpace(bytes, p, end);
    }
  }
}

const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === LF || byte === CR || byte === TAB;
}

export function skipSpace(bytes: Uint8Array, p: number, end: number): number {
  while (p < end && isSpace(bytes[p]!)) p++;
  return p;
}

function digits(bytes: Uint8Array, p: number, end: number): number {
  while (p < end && bytes[p]! >= 0x30 && bytes[p]! <= 0x39) p++;
  return p;
}

/** The number of four hexadecimal digits, CUT or WRONG. */
function hexAt(bytes: Uint8Array, p: number, end: number): number {
  let value = 0;
  for (let i = p; i < p + 4; i++) {
    if (i >= end) return CUT;
    const digit = hexDigit(bytes[i]!);
    if (digit < 0) return WRONG;
    value = value * 16 + digit;
  }
  return value;
}
