/**
 * Guesses a column's type from texts. Only what is unmistakable counts: `007` and `+1` stay text, a JSON document is
 * one only when it is an object or array, and what does not agree is text.
 */
import { type LogicalType, parseDate, parseOffsetTimestamp, parseTime, types } from '@sluice/sdk';

/** What one text looks like. */
export type Look =
  | 'bool'
  | 'int64'
  | 'decimal'
  | 'float64'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamp without zone'
  | 'uuid'
  | 'json'
  | 'string';

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)\.\d+$/;
const FLOAT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?[eE][+-]?\d{1,3}$/;
const UUID = /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/;
const BOOL = /^(?:t|f|true|false)$/i;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,9})?$/;
const MAX_INT64 = 9_223_372_036_854_775_807n;
/** Digits behind the point of a time-like text. */
const FRACTION = /\.(\d+)/;

/** What a text looks like. Cheap tests on its first character spare most of the expressions. */
export function lookOf(text: string): Look {
  const first = text.charCodeAt(0);
  const isDigit = first >= 0x30 && first <= 0x39;
  if (isDigit || first === 0x2d) {
    if (INTEGER.test(text)) return isInt64(text) ? 'int64' : 'decimal';
    if (DECIMAL.test(text)) return 'decimal';
    if (FLOAT.test(text)) return 'float64';
    if (isDigit) return timeLook(text) ?? (UUID.test(text) ? 'uuid' : 'string');
    return 'string';
  }
  if ((first === 0x7b || first === 0x5b) && isJson(text)) return 'json';
  if (text.length <= 5 && BOOL.test(text)) return 'bool';
  return text.length === 36 && UUID.test(text) ? 'uuid' : 'string';
}

function isInt64(text: string): boolean {
  if (text.length < 19) return true;
  const value = BigInt(text);
  return value <= MAX_INT64 && value >= -MAX_INT64 - 1n;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Dates and times of four-digit years, as the fast readers know them. */
function timeLook(text: string): Look | undefined {
  if (text[2] === ':') return TIME.test(text) && parseTime(text, 'ns') !== undefined ? 'time' : undefined;
  if (text[4] !== '-') return undefined;
  if (text.length === 10) return parseDate(text) === undefined ? undefined : 'date';
  const parsed = parseOffsetTimestamp(text, 'ns');
  if (parsed === undefined) return undefined;
  return parsed.offset === undefined ? 'timestamp without zone' : 'timestamp';
}

/** Looks that, mixed, make a common type. */
const WIDER: readonly (readonly [Look, Look, Look])[] = [
  ['int64', 'decimal', 'decimal'],
  ['int64', 'float64', 'float64'],
  ['decimal', 'float64', 'float64'],
  ['date', 'timestamp without zone', 'timestamp without zone'],
];

/** What the values of one column have looked like so far. Guesses of several files can be put together. */
export class Guess {
  values = 0;
  nulls = 0;
  /** The common look; undefined while there are only nulls. */
  look: Look | undefined;
  private readonly counts = new Map<Look, number>();
  private readonly examples = new Map<Look, string>();
  private wholeDigits = 0;
  private scale = 0;
  private leastScale = Number.POSITIVE_INFINITY;
  private fraction = 0;

  addNull(): void {
    this.nulls++;
  }

  /** `where` says where the value stands, for the report. */
  add(text: string, where: () => string): void {
    this.addLook(lookOf(text), text, where);
  }

  addLook(look: Look, text: string, where: () => string): void {
    this.values++;
    const count = this.counts.get(look) ?? 0;
    this.counts.set(look, count + 1);
    if (count === 0) this.examples.set(look, `${JSON.stringify(text.slice(0, 40))} (${where()})`);
    this.look = this.look === undefined ? look : common(this.look, look);
    if (look === 'decimal' || look === 'int64') this.addDigits(text);
    else if (look === 'time' || look.startsWith('timestamp')) {
      this.fraction = Math.max(this.fraction, FRACTION.exec(text)?.[1]?.length ?? 0);
    }
  }

  /** Adds what another guess has seen. */
  merge(other: Guess): void {
    this.values += other.values;
    this.nulls += other.nulls;
    for (const [look, count] of other.counts) this.counts.set(look, (this.counts.get(look) ?? 0) + count);
    for (const [look, example] of other.examples) {
      if (!this.examples.has(look)) this.examples.set(look, example);
    }
    if (other.look !== undefined) {
      this.look = this.look === undefined ? other.look : common(this.look, other.look);
    }
    this.wholeDigits = Math.max(this.wholeDigits, other.wholeDigits);
    this.scale = Math.max(this.scale, other.scale);
    this.leastScale = Math.min(this.leastScale, other.leastScale);
    this.fraction = Math.max(this.fraction, other.fraction);
  }

  /** The type. `whole`: every value was seen; otherwise decimals are given room for longer ones. */
  type(whole: boolean): LogicalType {
    const unit = this.fraction > 6 ? 'ns' : 'us';
    switch (this.look) {
      case 'bool':
        return types.bool;
      case 'int64':
        return types.int64;
      case 'decimal':
        return this.decimal(whole);
      case 'float64':
        return types.float64;
      case 'date':
        return types.date;
      case 'time':
        return { kind: 'time', unit };
      case 'timestamp':
        return { kind: 'timestamp', unit, zone: 'utc' };
      case 'timestamp without zone':
        return { kind: 'timestamp', unit, zone: 'none' };
      case 'uuid':
        return types.uuid;
      case 'json':
        return types.json;
      default:
        return types.string;
    }
  }

  /** One line for a report: what was seen, and why the type is text when the values disagree. */
  explain(): string {
    if (this.look === undefined) return `no values among ${this.nulls} rows`;
    const seen = `${this.values} values`;
    const looks = [...this.counts].sort((a, b) => b[1] - a[1]);
    if (looks.length === 1) return seen;
    const parts = looks.map(([look, count]) => `${count} like ${look}, first ${this.examples.get(look)}`);
    return `${seen}: ${parts.join('; ')}`;
  }

  /** Whether values of different looks had to be read as text. */
  get isConflict(): boolean {
    return this.look === 'string' && this.counts.size > 1;
  }

  private addDigits(text: string): void {
    const start = text.startsWith('-') ? 1 : 0;
    const point = text.indexOf('.');
    const whole = (point < 0 ? text.length : point) - start;
    this.wholeDigits = Math.max(this.wholeDigits, whole);
    if (point < 0) return;
    const scale = text.length - point - 1;
    this.scale = Math.max(this.scale, scale);
    this.leastScale = Math.min(this.leastScale, scale);
  }

  /**
   * A decimal that holds what was seen: of 18 digits where they suffice, else of 38, else unbounded. Where the number
   * of digits behind the point varies and not all values were seen, there is room for four more.
   */
  private decimal(whole: boolean): LogicalType {
    const varies = this.leastScale !== this.scale;
    const room = whole || !varies ? 0 : 4;
    for (const precision of [18, 38]) {
      if (this.wholeDigits + this.scale + room <= precision)
        return types.decimal(precision, this.scale + room);
    }
    return this.wholeDigits + this.scale <= 38 ? types.decimal(38, this.scale) : types.decimal();
  }
}

function common(a: Look, b: Look): Look {
  if (a === b) return a;
  const found = WIDER.find(([low, high]) => (low === a && high === b) || (low === b && high === a));
  return found?.[2] ?? 'string';
}
