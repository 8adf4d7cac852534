/**
 * JSON (RFC 8259) with positions, stricter than `JSON.parse`: a key that appears twice is refused, and so is an
 * integer that a JavaScript number would round.
 */
import { type JobText, placeOf, TextError } from './job-text.js';
import type { Path } from './path-text.js';

/** Deeper than any job; protects the stack. */
const MAX_DEPTH = 200;

/** Throws {@link TextError}. */
export function parseJsonText(text: string): JobText {
  const reader = new JsonReader(text);
  const value = reader.document();
  return {
    value,
    place(path) {
      const offset = reader.offsets.get(pathKey(path));
      return offset === undefined ? undefined : placeOf(text, offset);
    },
  };
}

function pathKey(path: Path): string {
  return JSON.stringify(path);
}

class JsonReader {
  /** Where keys and list entries begin, by path. */
  readonly offsets = new Map<string, number>();
  private at = 0;
  private readonly path: (string | number)[] = [];

  constructor(private readonly text: string) {}

  document(): unknown {
    this.space();
    if (this.at === this.text.length) this.fail('the file is empty');
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.fail(`${this.here()} after the end of the job`);
    return value;
  }

  private value(): unknown {
    this.offsets.set(pathKey(this.path), this.offsets.get(pathKey(this.path)) ?? this.at);
    if (this.path.length > MAX_DEPTH) this.fail(`nested more than ${MAX_DEPTH} deep`);
    const first = this.text[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.array();
    if (first === '"') return this.string();
    return this.literal();
  }

  private object(): { [key: string]: unknown } {
    const object: { [key: string]: unknown } = {};
    const opened = this.at++;
    for (this.space(); !this.take('}'); this.separator('}', opened)) {
      if (this.text[this.at] !== '"') this.fail(`${this.here()} where a key in double quotes should be`);
      const start = this.at;
      const key = this.string();
      if (Object.hasOwn(object, key)) {
        const first = placeOf(this.text, this.offsets.get(pathKey([...this.path, key]))!);
        this.fail(`the key "${key}" appears twice, first in line ${first.line}`, start, true);
      }
      this.path.push(key);
      this.offsets.set(pathKey(this.path), start);
      this.space();
      if (!this.take(':')) this.fail(`${this.here()} where ":" should be`);
      this.space();
      // Not an assignment: "__proto__" is a key like any other.
      const value = this.value();
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      this.path.pop();
    }
    return object;
  }

  private array(): unknown[] {
    const array: unknown[] = [];
    const opened = this.at++;
    for (this.space(); !this.take(']'); this.separator(']', opened)) {
      this.path.push(array.length);
      array.push(this.value());
      this.path.pop();
    }
    return array;
  }

  /** Behind a member: the comma to the next one, or nothing before the closing bracket. */
  private separator(closing: string, opened: number): void {
    this.space();
    if (this.text[this.at] === closing) return;
    const comma = this.at;
    if (!this.take(',')) {
      const { line } = placeOf(this.text, opened);
      this.fail(`${this.here()} where "," or "${closing}" should be (opened in line ${line})`);
    }
    this.space();
    if (this.text[this.at] === closing) this.fail(`JSON has no comma before "${closing}"`, comma);
  }

  private string(): string {
    const start = this.at++;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || char === '\n') this.fail('this string does not end', start);
      this.at += char === '\\' ? 2 : 1;
      if (char === '"') break;
    }
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      return this.fail('this string holds a control character or an escape that JSON does not have', start);
    }
  }

  private literal(): unknown {
    const start = this.at;
    const word = /[^\s,:{}[\]"]*/y;
    word.lastIndex = start;
    const token = word.exec(this.text)![0];
    if (token === 'true' || token === 'false') return this.done(token, token === 'true');
    if (token === 'null') return this.done(token, null);
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(token)) {
      if (token.startsWith('//') || token.startsWith('/*') || token.startsWith('#')) {
        this.fail('JSON has no comments; YAML job files have');
      }
      this.fail(token === '' ? `${this.here()} where a value should be` : `"${token}" is no value of JSON`);
    }
    const number = Number(token);
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(number)) {
      this.fail(`${token} is too large for a number here; write it as a string`, start, true);
    }
    return this.done(token, number);
  }

  private done<T>(token: string, value: T): T {
    this.at += token.length;
    return value;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private space(): void {
    const space = /[ \t\r\n]*/y;
    space.lastIndex = this.at;
    this.at += space.exec(this.text)![0].length;
  }

  private here(): string {
    const char = this.text.codePointAt(this.at);
    return char === undefined ? 'the file ends' : `there is ${JSON.stringify(String.fromCodePoint(char))}`;
  }

  private fail(message: string, offset = this.at, wellFormed = false): never {
    throw new TextError(message, placeOf(this.text, Math.min(offset, this.text.length)), wellFormed);
  }
}
