/** Reads the text that `formatType` writes: `decimal(12,2)`, `timestamp(us, utc)`, `list<int32>`. */
import { sdkErrors } from './errors.js';
import { nearestName } from './nearest.js';
import type { Field, LogicalType, TimeUnit } from './types.js';
import * as types from './types.js';

const PLAIN: { readonly [name: string]: LogicalType } = {
  null: types.nullType,
  bool: types.bool,
  int8: types.int8,
  int16: types.int16,
  int32: types.int32,
  int64: types.int64,
  uint8: types.uint8,
  uint16: types.uint16,
  uint32: types.uint32,
  uint64: types.uint64,
  float32: types.float32,
  float64: types.float64,
  decimal: types.decimal(),
  string: types.string,
  bytes: types.bytes,
  uuid: types.uuid,
  date: types.date,
  time: types.time,
  timestamp: types.timestamp,
  interval: types.interval,
  duration: types.duration,
  json: types.json,
};
/** What SQL calls the same types. */
const ALIASES: { readonly [name: string]: LogicalType } = {
  boolean: types.bool,
  smallint: types.int16,
  int: types.int32,
  integer: types.int32,
  bigint: types.int64,
  real: types.float32,
  double: types.float64,
  numeric: types.decimal(),
  text: types.string,
  varchar: types.string,
  bytea: types.bytes,
  timestamptz: types.timestamp,
};
const WITH_ARGUMENTS = ['list', 'struct', 'map', 'enum', 'union', 'native'];

/**
 * The type that a text names. Left-out arguments have their usual values: `timestamp` is `timestamp(us, utc)`,
 * `timestamp(none)` is `timestamp(us, none)`, `decimal(10)` is `decimal(10,0)`. SQL's names of types (`bigint`, `text`,
 * `numeric(12,2)`) are read too. Throws `SLUICE-SDK-0003`.
 */
export function parseType(text: string): LogicalType {
  const reader = new TypeReader(text);
  const type = reader.type();
  reader.end();
  return type;
}

class TypeReader {
  private at = 0;
  constructor(private readonly text: string) {}

  type(): LogicalType {
    const name = this.match(/[A-Za-z]\w*/y);
    if (name === undefined) throw this.wrong('a type is missing');
    switch (name) {
      case 'decimal':
      case 'numeric':
        return this.decimal();
      case 'time':
      case 'duration': {
        const [unit = 'us'] = this.words();
        return { kind: name, unit: this.unit(unit) };
      }
      case 'timestamp':
        return this.timestamp();
      case 'json':
        return this.json();
      case 'list':
        return { kind: 'list', item: this.between('<', '>', () => this.typed('item', true)) };
      case 'map':
        return this.between('<', '>', () => {
          const key = this.typed('key', false);
          this.expect(',');
          return { kind: 'map', key, value: this.typed('value', true) };
        });
      case 'struct':
        return { kind: 'struct', fields: this.between('<', '>', () => this.fields()) };
      case 'union':
        return { kind: 'union', variants: this.between('<', '>', () => this.fields()) };
      case 'enum':
        return { kind: 'enum', values: this.between('(', ')', () => this.separated(() => this.quoted())) };
      case 'native':
        return { kind: 'native', name: this.nativeName() };
      default:
        return this.plain(name);
    }
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length)
      throw this.wrong(`${JSON.stringify(this.text.slice(this.at))} is left over`);
  }

  private plain(name: string): LogicalType {
    if (Object.hasOwn(PLAIN, name)) return PLAIN[name]!;
    const alias = name.toLowerCase();
    return Object.hasOwn(ALIASES, alias) ? ALIASES[alias]! : this.unknown(name);
  }

  private decimal(): LogicalType {
    const numbers = this.words();
    if (numbers.length === 0) return types.decimal();
    const [precision, scale = 0] = numbers.map(Number) as [number, number?];
    const isRight = numbers.length <= 2 && Number.isInteger(precision) && Number.isInteger(scale);
    if (!isRight || precision < 1 || scale < 0 || scale > precision) {
      throw this.wrong('a decimal has a precision of at least 1 and a scale between 0 and the precision');
    }
    return types.decimal(precision, scale);
  }

  private timestamp(): LogicalType {
    let unit: TimeUnit = 'us';
    let zone: 'utc' | 'none' | 'offset' = 'utc';
    for (const word of this.words()) {
      if (word === 'utc' || word === 'none' || word === 'offset') zone = word;
      else unit = this.unit(word);
    }
    return { kind: 'timestamp', unit, zone };
  }

  private json(): LogicalType {
    const [text = 'raw'] = this.words();
    if (text !== 'raw' && text !== 'normalised') throw this.wrong('json is raw or normalised');
    return { kind: 'json', text };
  }

  private unit(word: string): TimeUnit {
    if (word !== 'us' && word !== 'ns') throw this.wrong(`${word} is no unit: us or ns`);
    return word;
  }

  /** A type and whether it allows nulls: not when `not null` follows it. */
  private typed(name: string, nullable: boolean): Field {
    const type = this.type();
    const notNull = this.match(/not\s+null\b/y) !== undefined;
    return { name, type, nullable: nullable && !notNull };
  }

  private fields(): Field[] {
    return this.separated(() => {
      this.skipSpace();
      const name = this.text[this.at] === '"' ? this.quoted() : this.match(/[^:<>,()]+/y)?.trim();
      if (name === undefined || name === '') throw this.wrong('a member’s name is missing');
      this.expect(':');
      return this.typed(name, true);
    });
  }

  private separated<T>(read: () => T): T[] {
    const items: T[] = [];
    this.skipSpace();
    if (this.text[this.at] === '>' || this.text[this.at] === ')') return items;
    do items.push(read());
    while (this.match(/,/y) !== undefined);
    return items;
  }

  private quoted(): string {
    const literal = this.match(/"(?:[^"\\]|\\.)*"/y);
    if (literal === undefined) throw this.wrong('a text in double quotes is missing');
    try {
      return JSON.parse(literal) as string;
    } catch {
      throw this.wrong(`${literal} is no text`);
    }
  }

  /** What stands between the parentheses of `native(…)`, which may hold pairs of parentheses itself. */
  private nativeName(): string {
    this.expect('(');
    const from = this.at;
    let depth = 1;
    for (; this.at < this.text.length; this.at++) {
      if (this.text[this.at] === '(') depth++;
      if (this.text[this.at] === ')' && --depth === 0) return this.text.slice(from, this.at++);
    }
    throw this.wrong('a closing parenthesis is missing');
  }

  /** The words between parentheses, if there are any. */
  private words(): string[] {
    const match = this.match(/\([^()]*\)/y);
    if (match === undefined) return [];
    return match
      .slice(1, -1)
      .split(',')
      .map((word) => word.trim());
  }

  private between<T>(open: string, close: string, read: () => T): T {
    this.expect(open);
    const value = read();
    this.expect(close);
    return value;
  }

  private expect(character: string): void {
    this.skipSpace();
    if (this.text[this.at] !== character) throw this.wrong(`${character} is missing`);
    this.at++;
  }

  /** What matches behind any white space, which is passed over in any case. */
  private match(expression: RegExp): string | undefined {
    this.skipSpace();
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private unknown(name: string): never {
    const near = nearestName(name, [...Object.keys(PLAIN), ...Object.keys(ALIASES), ...WITH_ARGUMENTS]);
    throw this.wrong(`${name} is no type${near === undefined ? '' : `; did you mean ${near}?`}`);
  }

  private wrong(why: string): Error {
    return sdkErrors.configInvalid(`type ${JSON.stringify(this.text)}: ${why}`);
  }
}
