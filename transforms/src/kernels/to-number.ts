/** `int(x)`, `uint(x)`, `double(x)`, `decimal(x)`, `bool(x)`. What cannot be converted is an error of its row. */
import {
  bitmapBytes,
  fitsPrecision,
  formatDecimal,
  formatType,
  type LogicalType,
  powerOfTen,
  setBit,
  unitsPerSecond,
} from '@sluice/sdk';
import { inRange } from './arithmetic.js';
import { readDecimal, shortDecimals } from './decimal-text.js';
import { MAX_SAFE, type Scaled, scaleAt, scaled } from './scales.js';
import { stringsOf } from './text-build.js';
import {
  computedStatus,
  expectKind,
  hasValue,
  type Integers,
  type Kernel,
  Outcome,
  type Text,
  type Vector,
} from './vector.js';

/** Whole numbers: fractions are cut off, text must be one, a timestamp gives seconds since 1970. */
export function toInteger(from: LogicalType, to: LogicalType): Kernel {
  return (args, rows) => {
    const outcome = new Outcome(computedStatus(args, rows), rows);
    return inRange(to, wholeNumbers(from, args[0]!, outcome, rows), outcome, rows);
  };
}

function wholeNumbers(from: LogicalType, vector: Vector, outcome: Outcome, rows: number): Scaled {
  if (from.kind === 'string') return wholeTexts(stringsOf(expectKind(vector, 'text')), outcome);
  if (from.kind === 'float') return wholeDoubles(expectKind(vector, 'numbers').values, outcome, rows);
  const data = scaled(vector);
  if (from.kind === 'timestamp') return floorDivide(data, unitsPerSecond(from.unit));
  if (data.scale === 0)
    return data.kind === 'numbers' ? { ...data, values: data.values.slice() } : copy(data);
  if (data.kind === 'numbers') {
    const factor = 10 ** data.scale;
    return { kind: 'numbers', values: data.values.map((n) => Math.trunc(n / factor) + 0), scale: 0 };
  }
  return { kind: 'integers', values: data.values.map((n, i) => n / powerOfTen(scaleAt(data, i))), scale: 0 };
}

function copy(data: Integers): Integers {
  return { ...data, values: data.values.slice() };
}

function wholeTexts(strings: readonly string[], outcome: Outcome): Scaled {
  return integersOf(
    strings.map((text, i) => {
      if (/^\s*[+-]?\d{1,40}\s*$/.test(text)) return BigInt(text.trim().replace(/^\+/, ''));
      outcome.fail(i, `${quoted(text)} is no whole number`);
      return 0n;
    }),
  );
}

function wholeDoubles(values: Float64Array, outcome: Outcome, rows: number): Scaled {
  const whole = new Float64Array(rows);
  let safe = true;
  for (let i = 0; i < rows; i++) {
    whole[i] = Math.trunc(values[i]!) + 0;
    if (!(Math.abs(whole[i]!) <= MAX_SAFE)) safe = false;
  }
  if (safe) return { kind: 'numbers', values: whole, scale: 0 };
  const wide = Array.from(whole, (n, i) => {
    if (Number.isFinite(n)) return BigInt(n);
    outcome.fail(i, `${n} is no whole number`);
    return 0n;
  });
  return integersOf(wide);
}

function floorDivide(data: Scaled, by: bigint): Scaled {
  if (data.kind === 'numbers') {
    const divisor = Number(by);
    return { kind: 'numbers', values: data.values.map((n) => Math.floor(n / divisor)), scale: 0 };
  }
  return integersOf(data.values.map((n) => (n - (((n % by) + by) % by)) / by));
}

/** Whole numbers of any size, as doubles when all are safe. */
export function integersOf(values: bigint[]): Scaled {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = Number(values[i]!);
    if (Math.abs(numbers[i]!) > MAX_SAFE) return { kind: 'integers', values, scale: 0 };
  }
  return { kind: 'numbers', values: numbers, scale: 0 };
}

/** The nearest double. Text may also be NaN, Infinity and -Infinity. */
export function toDouble(from: LogicalType): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const values =
      vector.data.kind === 'text'
        ? doubleTexts(stringsOf(vector.data), outcome)
        : from.kind === 'float'
          ? expectKind(vector, 'numbers').values
          : nearestDoubles(scaled(vector), rows);
    return { length: rows, data: { kind: 'numbers', values, scale: 0 }, ...outcome.status() };
  };
}

function doubleTexts(strings: readonly string[], outcome: Outcome): Float64Array {
  return Float64Array.from(strings, (text, i) => {
    if (/^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|Infinity|NaN)\s*$/.test(text)) return Number(text);
    outcome.fail(i, `${quoted(text)} is no number`);
    return 0;
  });
}

/** A safe integer by a power of ten that a double holds exactly is the nearest double; others go over their text. */
function nearestDoubles(data: Scaled, rows: number): Float64Array {
  const values = new Float64Array(rows);
  const shortcut = data.kind === 'numbers' && data.scale <= 22 ? 10 ** data.scale : undefined;
  for (let i = 0; i < rows; i++) {
    values[i] =
      shortcut !== undefined
        ? Number(data.values[i]!) / shortcut
        : Number(formatDecimal(BigInt(data.values[i]!), scaleAt(data, i)));
  }
  return values;
}

/** An exact decimal: of a fixed scale where the type has one. A double is read as its shortest decimal text. */
export function toDecimal(from: LogicalType, to: LogicalType): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const read =
      vector.data.kind === 'text'
        ? decimalsOf(vector, vector.data, outcome)
        : from.kind === 'float'
          ? decimalStrings(Array.from(expectKind(vector, 'numbers').values, String), outcome)
          : scaled(vector);
    return { length: rows, data: fitDecimal(read, to, outcome), ...outcome.status() };
  };
}

function decimalsOf(vector: Vector, text: Text, outcome: Outcome): Scaled {
  const { start, end } = text;
  const empty = start.some((from, i) => from === end[i] && hasValue(vector, i));
  return (empty ? undefined : shortDecimals(text)) ?? decimalStrings(stringsOf(text), outcome);
}

function decimalStrings(strings: readonly string[], outcome: Outcome): Integers {
  const scale = new Int32Array(strings.length);
  const values = strings.map((text, i) => {
    const read = readDecimal(text);
    if (read === undefined) outcome.fail(i, `${quoted(text)} is no decimal`);
    scale[i] = read?.scale ?? 0;
    return read?.unscaled ?? 0n;
  });
  return { kind: 'integers', values, scale };
}

/** Brings decimals to the scale of their type; a value that would lose digits or is too large fails. */
export function fitDecimal(data: Scaled, to: LogicalType, outcome: Outcome): Scaled {
  if (to.kind !== 'decimal' || to.scale === undefined) return data;
  const scale = to.scale;
  const precision = to.precision ?? 0;
  const limit = precision <= 15 ? 10 ** precision : Infinity;
  if (data.kind === 'numbers' && data.scale <= scale && 10 ** (scale - data.scale) <= MAX_SAFE) {
    const factor = 10 ** (scale - data.scale);
    const values = data.values.map((n) => n * factor);
    if (values.every((n) => Math.abs(n) < limit && Math.abs(n) <= MAX_SAFE))
      return { kind: 'numbers', values, scale };
  }
  const values: bigint[] = Array.from(data.values as ArrayLike<number | bigint>, (n, i) => {
    const unscaled = rescaled(BigInt(n), scaleAt(data, i), scale);
    if (unscaled !== undefined && fitsPrecision(unscaled, precision)) return unscaled;
    outcome.fail(
      i,
      `${formatDecimal(BigInt(n), scaleAt(data, i))} does not fit ${formatType(to)}; round() it`,
    );
    return 0n;
  });
  const { values: fitted, kind } = integersOf(values);
  return kind === 'numbers'
    ? { kind, values: fitted as Float64Array, scale }
    : { kind: 'integers', values, scale };
}

function rescaled(unscaled: bigint, from: number, to: number): bigint | undefined {
  if (to >= from) return unscaled * powerOfTen(to - from);
  const factor = powerOfTen(from - to);
  return unscaled % factor === 0n ? unscaled / factor : undefined;
}

const TRUE = new Set(['true', 'True', 'TRUE', 't', '1']);
const FALSE = new Set(['false', 'False', 'FALSE', 'f', '0']);

export function toBool(): Kernel {
  return (args, rows) => {
    const [vector] = args as [Vector];
    const strings = stringsOf(expectKind(vector, 'text'));
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const values = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) {
      if (TRUE.has(strings[i]!)) setBit(values, i);
      else if (!FALSE.has(strings[i]!)) outcome.fail(i, `${quoted(strings[i]!)} is neither true nor false`);
    }
    return { length: rows, data: { kind: 'bits', values }, ...outcome.status() };
  };
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
