/**
 * Finds a member in the text of a JSON document (RFC 8259) without parsing the rest: what is not on the path is
 * skipped by its brackets and quotes. Of members with the same name the last counts, as in JavaScript and Postgres.
 */

/** A member's name, or an item's index. */
export type JsonStep = string | number;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The document ends where a value, a name or a bracket was expected. */
export class MalformedJson extends Error {}

interface Step {
  readonly name: Uint8Array | undefined;
  readonly text: string;
  readonly index: number;
}

/** Looks for one path in many documents; after `seek` returned true, `start` and `end` bound the value's text. */
export class JsonSeeker {
  start = 0;
  end = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private limit = 0;
  private readonly steps: readonly Step[];

  constructor(path: readonly JsonStep[]) {
    this.steps = path.map((step) =>
      typeof step === 'number'
        ? { name: undefined, text: '', index: step }
        : { name: Buffer.from(step), text: step, index: -1 },
    );
  }

  /** Throws {@link MalformedJson}. */
  seek(bytes: Uint8Array, from: number, to: number): boolean {
    this.bytes = bytes;
    this.limit = to;
    let at = this.space(from);
    for (const step of this.steps) {
      at = step.name === undefined ? this.item(at, step.index) : this.member(at, step);
      if (at < 0) return false;
    }
    this.start = at;
    this.end = this.skip(at);
    return true;
  }

  /** Where the value of a member begins, or -1. */
  private member(at: number, step: Step): number {
    if (this.byte(at) !== OPEN_OBJECT) return -1;
    let found = -1;
    at = this.space(at + 1);
    while (this.byte(at) !== CLOSE_OBJECT) {
      const nameEnd = this.string(at);
      const matches = this.named(at + 1, nameEnd - 1, step);
      at = this.space(nameEnd);
      if (this.byte(at) !== COLON) throw new MalformedJson();
      at = this.space(at + 1);
      if (matches) found = at;
      at = this.space(this.skip(at));
      if (this.byte(at) === COMMA) at = this.space(at + 1);
    }
    return found;
  }

  private item(at: number, index: number): number {
    if (this.byte(at) !== OPEN_LIST) return -1;
    at = this.space(at + 1);
    for (let i = 0; this.byte(at) !== CLOSE_LIST; i++) {
      if (i === index) return at;
      at = this.space(this.skip(at));
      if (this.byte(at) === COMMA) at = this.space(at + 1);
    }
    return -1;
  }

  private named(from: number, to: number, { name, text }: Step): boolean {
    const { bytes } = this;
    for (let at = from; at < to; at++) {
      if (bytes[at] === BACKSLASH) return JSON.parse(textBetween(bytes, from - 1, to + 1)) === text;
    }
    if (name === undefined || to - from !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
    return true;
  }

  /** Behind the value that begins at `at`. */
  private skip(at: number): number {
    const first = this.byte(at);
    if (first === QUOTE) return this.string(at);
    if (first !== OPEN_LIST && first !== OPEN_OBJECT) return this.scalar(at);
    let depth = 0;
    for (;;) {
      const c = this.byte(at);
      if (c === QUOTE) {
        at = this.string(at);
        continue;
      }
      if (c === OPEN_LIST || c === OPEN_OBJECT) depth++;
      if (c === CLOSE_LIST || c === CLOSE_OBJECT) depth--;
      at++;
      if (depth === 0) return at;
    }
  }

  private scalar(from: number): number {
    let at = from;
    for (; at < this.limit; at++) {
      const c = this.bytes[at]!;
      if (c === COMMA || c === CLOSE_LIST || c === CLOSE_OBJECT || isSpace(c)) break;
    }
    if (at === from) throw new MalformedJson();
    return at;
  }

  /** Behind the string that begins at `at`. */
  private string(at: number): number {
    if (this.byte(at) !== QUOTE) throw new MalformedJson();
    for (at++; this.byte(at) !== QUOTE; at++) if (this.bytes[at] === BACKSLASH) at++;
    return at + 1;
  }

  private space(at: number): number {
    while (at < this.limit && isSpace(this.bytes[at]!)) at++;
    return at;
  }

  private byte(at: number): number {
    if (at >= this.limit) throw new MalformedJson();
    return this.bytes[at]!;
  }
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function textBetween(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();
}
