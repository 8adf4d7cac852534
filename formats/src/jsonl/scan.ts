/**
 * The JSON scanner: finds the members of records in a block of bytes and checks the grammar (RFC 8259) on the way.
 * Values are not decoded here: a cell is the range of a value's bytes, so that no number ever passes through a float
 * that could round it.
 *
 * Records mostly have the same members in the same order. The scanner therefore compares a member's name with the one
 * that followed last time, byte by byte, and looks names up only when that fails.
 */
import { type CellTable, ESCAPED, NULL, PLAIN, QUOTED } from '../text/cells.js';
import type { ScanEnd, ScanState } from '../text/table-reader.js';
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

export interface JsonScanOptions {
  /** Whether records are the items of one array, which may span lines; otherwise each stands on a line of its own. */
  readonly array: boolean;
  /** Whether a record is one json column as a whole, whatever it is. */
  readonly raw: boolean;
  /** Whether members that are no column are an error; otherwise they are passed over. */
  readonly strict: boolean;
}

/** Ran into the end of what may be read: a line's, or the block's. */
const CUT = -1;
/** Ran into something that is no JSON. */
const WRONG = -2;

export class JsonScan {
  /** What was wrong with the record at which the last scan stopped. */
  problem: JsonProblem = 'grammar';
  /** Where in the block that was. */
  problemAt = 0;
  /** The member that is no column. */
  member = '';

  private readonly names: readonly Uint8Array[];
  private readonly byName: ReadonlyMap<string, number>;
  /** Whether a string keeps its quotes: in json columns, whose cells are documents. */
  private readonly documents: readonly boolean[];
  /** The number of the record in which each column was last met. */
  private readonly seen: Float64Array;
  private current = 0;
  /** In an array: whether its opening bracket has been passed, and whether its closing one has. */
  private inArray = false;
  private atEnd = false;
  private afterComma = false;
  private quoteKind = QUOTED;

  constructor(
    names: readonly string[],
    documents: readonly boolean[],
    private readonly options: JsonScanOptions,
  ) {
    this.names = names.map((name) => Buffer.from(name));
    this.byName = new Map(names.map((name, i) => [name, i]));
    this.documents = documents;
    this.seen = new Float64Array(names.length);
  }

  /** Reading goes on between two items of an array, or, where nothing is left, behind its end. */
  resume(nothingLeft: boolean): void {
    this.inArray = true;
    this.atEnd = nothingLeft;
  }

  /** Scans records into the table. See {@link RecordScanner.scan}. */
  scan(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd {
    return this.options.array
      ? this.scanArray(table, state, end, final)
      : this.scanLines(table, state, end, final);
  }

  private scanLines(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd {
    const { bytes } = table;
    while (state.at < end) {
      if (table.rows === table.capacity) return 'full';
      const lineEnd = table.text.indexOf(LF, state.at);
      if (lineEnd >= end && !final) return 'end';
      const from = skipSpace(bytes, state.at, lineEnd);
      if (from < lineEnd) {
        let p = this.record(table, from, lineEnd);
        if (p >= 0) p = skipSpace(bytes, p, lineEnd);
        if (p !== lineEnd) return this.isWrong(p === CUT ? lineEnd : p);
        this.accept(table, state.lines, lineEnd + 1);
      }
      state.at = Math.min(lineEnd + 1, final ? end : lineEnd + 1);
      state.lines++;
    }
    return 'end';
  }

  private scanArray(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd {
    const { bytes } = table;
    let p = state.at;
    let lines = state.lines;
    const pass = () => {
      for (; p < end && isSpace(bytes[p]!); p++) if (bytes[p] === LF) lines++;
    };
    for (;;) {
      pass();
      state.at = p;
      state.lines = lines;
      if (p >= end) break;
      if (this.atEnd) return this.isWrong(p);
      const byte = bytes[p]!;
      if (!this.inArray) {
        if (byte !== OPEN_BRACKET) return this.isWrong(p);
        this.inArray = true;
        p++;
      } else if (byte === CLOSE_BRACKET) {
        if (this.afterComma) return this.isWrong(p);
        this.atEnd = true;
        p++;
      } else if (table.rows === table.capacity) {
        return 'full';
      } else {
        const from = p;
        p = this.record(table, from, end);
        if (p < 0 || (p >= end && !final)) {
          if (p === CUT || p >= end) return final ? this.isWrong(end) : 'end';
          return this.isWrong(p);
        }
        const firstLine = lines;
        for (let i = from; i < p; i++) if (bytes[i] === LF) lines++;
        pass();
        // A comma belongs to the item before it, so that a position stands right before an item or the bracket.
        this.afterComma = bytes[p] === COMMA && p < end;
        if (this.afterComma) p++;
        else if (p >= end && !final) return 'end';
        else if (bytes[p] !== CLOSE_BRACKET || p >= end) return this.isWrong(p);
        this.accept(table, firstLine, p);
      }
      state.at = p;
      state.lines = lines;
    }
    if (final && !this.atEnd) return this.isWrong(end);
    if (final) state.at = end;
    return 'end';
  }

  private isWrong(at: number): 'broken' {
    if (at >= 0) {
      this.problem = 'grammar';
      this.problemAt = at;
    }
    return 'broken';
  }

  private accept(table: CellTable, lines: number, rowEnd: number): void {
    table.rowLines[table.rows] = lines;
    table.rowEnds[table.rows] = rowEnd;
    table.rows++;
  }

  /** Scans a record's members into the table's next row. Returns the offset behind it, CUT or WRONG. */
  private record(table: CellTable, from: number, end: number): number {
    const { bytes, starts, ends, capacity, rows } = table;
    if (this.options.raw) {
      const p = this.value(bytes, from, end, 0);
      if (p >= 0) {
        starts[rows] = (from << 2) | PLAIN;
        ends[rows] = p;
      }
      return p;
    }
    if (bytes[from] !== OPEN_BRACE) {
      const other = this.value(bytes, from, end, 0);
      return other < 0 ? other : this.fail('not-an-object', from);
    }
    const { seen } = this;
    const current = ++this.current;
    let found = 0;
    let expected = 0;
    let p = skipSpace(bytes, from + 1, end);
    if (p < end && bytes[p] === CLOSE_BRACE) p++;
    else {
      for (;;) {
        if (p >= end) return CUT;
        if (bytes[p] !== QUOTE) return this.fail('grammar', p);
        const nameFrom = p + 1;
        p = this.string(bytes, p, end);
        if (p < 0) return p;
        const nameTo = p - 1;
        const column = this.columnOf(bytes, nameFrom, nameTo, expected, this.quoteKind);
        p = skipSpace(bytes, p, end);
        if (p >= end) return CUT;
        if (bytes[p] !== COLON) return this.fail('grammar', p);
        p = skipSpace(bytes, p + 1, end);
        const valueFrom = p;
        p = this.value(bytes, p, end, 1);
        if (p < 0) return p;
        if (column >= 0) {
          if (seen[column] !== current) found++;
          seen[column] = current;
          this.setCell(table, column, valueFrom, p);
          expected = column + 1;
        } else if (this.options.strict) {
          this.member = table.text.toString('utf8', nameFrom, nameTo);
          return this.fail('unknown-member', nameFrom);
        }
        p = skipSpace(bytes, p, end);
        if (p >= end) return CUT;
        const byte = bytes[p++];
        if (byte === CLOSE_BRACE) break;
        if (byte !== COMMA) return this.fail('grammar', p - 1);
        p = skipSpace(bytes, p, end);
      }
    }
    if (found < seen.length) {
      for (let column = 0; column < seen.length; column++) {
        if (seen[column] !== current) starts[column * capacity + rows] = NULL;
      }
    }
    return p;
  }

  private fail(problem: JsonProblem, at: number): number {
    this.problem = problem;
    this.problemAt = at;
    return WRONG;
  }

  private setCell(table: CellTable, column: number, from: number, to: number): void {
    const at = column * table.capacity + table.rows;
    const { bytes, starts, ends } = table;
    if (bytes[from] === QUOTE && !this.documents[column]) {
      starts[at] = ((from + 1) << 2) | this.quoteKind;
      ends[at] = to - 1;
      if (this.quoteKind === ESCAPED) table.escaped[column] = 1;
    } else {
      starts[at] = (from << 2) | (bytes[from] === 0x6e ? NULL : PLAIN);
      ends[at] = to;
    }
  }

  private columnOf(bytes: Uint8Array, from: number, to: number, expected: number, kind: number): number {
    if (kind === QUOTED && expected < this.names.length) {
      const name = this.names[expected]!;
      if (name.byteLength === to - from) {
        let i = 0;
        while (i < name.byteLength && name[i] === bytes[from + i]) i++;
        if (i === name.byteLength) return expected;
      }
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
    const name = kind === QUOTED ? text : unescaped(text);
    return name === undefined ? -1 : (this.byName.get(name) ?? -1);
  }

  /** Passes a value. Afterwards `quoteKind` says what a string was. */
  private value(bytes: Uint8Array, p: number, end: number, depth: number): number {
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

  private string(bytes: Uint8Array, from: number, end: number): number {
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

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === LF || byte === CR || byte === TAB;
}

function skipSpace(bytes: Uint8Array, p: number, end: number): number {
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

function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
