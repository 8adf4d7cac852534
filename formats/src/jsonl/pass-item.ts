/** Passes over an item of an array without a look at what it says: brackets and strings tell where it ends. */
import type { Passed, RecordPasser } from '../text/pass-record.js';
import { isSpace } from './grammar.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BACKSLASH = 0x5c;

export class ItemPasser implements RecordPasser {
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private isOver = false;

  /** `behind` is told whether a comma stands behind the item; that one is passed too. */
  constructor(private readonly behind: (comma: boolean) => void) {}

  pass(bytes: Uint8Array, from: number, to: number): Passed {
    const end = this.isOver ? from : this.item(bytes, from, to);
    let p = end;
    while (p < to && isSpace(bytes[p]!)) p++;
    if (!this.isOver || p === to) return { end, next: undefined };
    const comma = bytes[p] === COMMA;
    this.behind(comma);
    return { end, next: comma ? p + 1 : p };
  }

  private item(bytes: Uint8Array, from: number, to: number): number {
    let p = from;
    while (p < to) {
      if (this.inString) {
        p = this.string(bytes, p, to);
        continue;
      }
      const byte = bytes[p]!;
      if (this.depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET || isSpace(byte))) {
        this.isOver = true;
        return p;
      }
      p++;
      if (byte === QUOTE) this.inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.isOver = --this.depth <= 0;
        if (this.isOver) return p;
      }
    }
    return p;
  }

  private string(bytes: Uint8Array, from: number, to: number): number {
    let p = from;
    if (this.isEscaped && p < to) {
      this.isEscaped = false;
      p++;
    }
    while (p < to) {
      const byte = bytes[p++]!;
      if (byte === QUOTE) {
        this.inString = false;
        return p;
      }
      if (byte === BACKSLASH) {
        this.isEscaped = p === to;
        p++;
      }
    }
    return to;
  }
}
