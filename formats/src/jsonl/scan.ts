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
import { CUT, isSpace, JsonGrammar, skipSpace } from './grammar.js';

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export interface JsonScanOptions {
  /** Whether records are the items of one array, which may span lines; otherwise each stands on a line of its own. */
  readonly array: boolean;
  /** Whether a record is one json column as a whole, whatever it is. */
  readonly raw: boolean;
  /** Whether members that are no column are an error; otherwise they are passed over. */
  readonly strict: boolean;
}

export class JsonScan extends JsonGrammar {
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

  constructor(
    names: readonly string[],
    documents: readonly boolean[],
    private readonly options: JsonScanOptions,
  ) {
    super();
    this.names = names.map((name) => Buffer.from(name));
    this.byName = new Map(names.map((name, i) => [name, i]));
    this.documents = documents;
    this.seen = new Float64Array(names.length);
  }

  /** Whether records are the items of one array. */
  get inOneArray(): boolean {
    return this.options.array;
  }

  /** Reading goes on behind an item of an array and, where there is one, its comma, or, where nothing is left, behind its end. */
  resume(nothingLeft: boolean, afterComma = false): void {
    this.inArray = true;
    this.atEnd = nothingLeft;
    this.afterComma = afterComma;
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
}

function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
