/**
 * `+ - * / %` and negation. Doubles follow IEEE 754; integers, decimals and time values are exact, and a result
 * that does not fit its type is an error of that row.
 */
import { fitsPrecision, formatType, type LogicalType, powerOfTen } from '@sluice/sdk';
import {
  aligned,
  allSafe,
  divideRounded,
  MAX_SAFE,
  type Scaled,
  scaleAt,
  scaled,
  toIntegers,
} from './scales.js';
import { computedStatus, expectKind, type Integers, type Kernel, Outcome, type Vector } from './vector.js';

export type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'mod';

/** `scale`: the digits behind the point of a decimal quotient. */
export function arithmetic(op: Arithmetic, type: LogicalType, scale: number): Kernel {
  if (type.kind === 'float') return (args, rows) => doubles(op, args, rows);
  return (args, rows) => {
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const a = scaled(args[0]!);
    const b = scaled(args[1]!);
    const data = exact(op, a, b, type.kind === 'decimal' ? scale : undefined, outcome);
    return inRange(type, data, outcome, rows);
  };
}

function exact(op: Arithmetic, a: Scaled, b: Scaled, scale: number | undefined, outcome: Outcome): Scaled {
  switch (op) {
    case 'add':
    case 'sub':
      return addSub(op, a, b);
    case 'mul':
      return multiply(a, b);
    case 'div':
      return divide(a, b, scale, outcome);
    case 'mod':
      return remainder(a, b, outcome);
  }
}

function doubles(op: Arithmetic, args: readonly Vector[], rows: number): Vector {
  const a = expectKind(args[0]!, 'numbers').values;
  const b = expectKind(args[1]!, 'numbers').values;
  const values = new Float64Array(rows);
  switch (op) {
    case 'add':
      for (let i = 0; i < rows; i++) values[i] = a[i]! + b[i]!;
      break;
    case 'sub':
      for (let i = 0; i < rows; i++) values[i] = a[i]! - b[i]!;
      break;
    case 'mul':
      for (let i = 0; i < rows; i++) values[i] = a[i]! * b[i]!;
      break;
    case 'div':
      for (let i = 0; i < rows; i++) values[i] = a[i]! / b[i]!;
      break;
    case 'mod':
      throw new TypeError('doubles have no remainder');
  }
  return { length: rows, data: { kind: 'numbers', values, scale: 0 }, ...computedStatus(args, rows) };
}

function addSub(op: 'add' | 'sub', left: Scaled, right: Scaled): Scaled {
  const { a, b } = aligned(left, right);
  if (a.kind === 'integers' || b.kind === 'integers') return addSubIntegers(op, toIntegers(a), toIntegers(b));
  const rows = a.values.length;
  const values = new Float64Array(rows);
  if (op === 'add') for (let i = 0; i < rows; i++) values[i] = a.values[i]! + b.values[i]!;
  else for (let i = 0; i < rows; i++) values[i] = a.values[i]! - b.values[i]!;
  if (allSafe(values)) return { kind: 'numbers', values, scale: a.scale };
  return addSubIntegers(op, toIntegers(a), toIntegers(b));
}

function addSubIntegers(op: 'add' | 'sub', a: Integers, b: Integers): Integers {
  const values = a.values.map((n, i) => (op === 'add' ? n + b.values[i]! : n - b.values[i]!));
  return { kind: 'integers', values, scale: a.scale };
}

function multiply(a: Scaled, b: Scaled): Scaled {
  if (a.kind === 'numbers' && b.kind === 'numbers') {
    const rows = a.values.length;
    const values = new Float64Array(rows);
    // + 0 makes 0 of -0, which is no integer
    for (let i = 0; i < rows; i++) values[i] = a.values[i]! * b.values[i]! + 0;
    if (allSafe(values)) return { kind: 'numbers', values, scale: a.scale + b.scale };
  }
  const left = toIntegers(a);
  const right = toIntegers(b);
  const values = left.values.map((n, i) => n * right.values[i]!);
  if (typeof left.scale === 'number' && typeof right.scale === 'number') {
    return { kind: 'integers', values, scale: left.scale + right.scale };
  }
  return {
    kind: 'integers',
    values,
    scale: Int32Array.from(values, (_, i) => scaleAt(left, i) + scaleAt(right, i)),
  };
}

/** Quotients of decimals at `scale`, rounded half away from zero; without a scale those of integers, cut. */
function divide(a: Scaled, b: Scaled, digits: number | undefined, outcome: Outcome): Scaled {
  const cut = digits === undefined;
  const scale = digits ?? 0;
  if (a.kind === 'numbers' && b.kind === 'numbers') {
    const short = divideNumbers(a.values, b.values, 10 ** (scale - a.scale + b.scale), cut, outcome);
    if (short) return { kind: 'numbers', values: short, scale };
  }
  const left = toIntegers(a);
  const right = toIntegers(b);
  const values = left.values.map((n, i) => {
    let d = right.values[i]!;
    if (d === 0n) {
      outcome.fail(i, 'division by zero');
      return 0n;
    }
    const shift = scale - scaleAt(left, i) + scaleAt(right, i);
    if (shift >= 0) n *= powerOfTen(shift);
    else d *= powerOfTen(-shift);
    return cut ? n / d : divideRounded(n, d);
  });
  return { kind: 'integers', values, scale };
}

/** Quotients of safe numbers are exact: a double's remainder is, and the cut quotient of two such cannot be off. */
function divideNumbers(
  a: Float64Array,
  b: Float64Array,
  factor: number,
  cut: boolean,
  outcome: Outcome,
): Float64Array | undefined {
  if (factor < 1 || factor > MAX_SAFE) return undefined;
  const values = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) {
    const n = a[i]! * factor;
    const d = b[i]!;
    if (n > MAX_SAFE || n < -MAX_SAFE) return undefined;
    if (d === 0) {
      outcome.fail(i, 'division by zero');
      continue;
    }
    let quotient = Math.trunc(n / d);
    if (!cut && Math.abs(n % d) >= Math.abs(d) - Math.abs(n % d)) quotient += n < 0 === d < 0 ? 1 : -1;
    values[i] = quotient + 0;
  }
  return values;
}

function remainder(left: Scaled, right: Scaled, outcome: Outcome): Scaled {
  const { a, b } = aligned(left, right);
  if (a.kind === 'numbers' && b.kind === 'numbers') {
    const values = new Float64Array(a.values.length);
    for (let i = 0; i < values.length; i++) {
      if (b.values[i] === 0) outcome.fail(i, 'division by zero');
      else values[i] = (a.values[i]! % b.values[i]!) + 0;
    }
    return { kind: 'numbers', values, scale: a.scale };
  }
  const divisors = toIntegers(b).values;
  const values = toIntegers(a).values.map((n, i) => {
    if (divisors[i] !== 0n) return n % divisors[i]!;
    outcome.fail(i, 'division by zero');
    return 0n;
  });
  return { kind: 'integers', values, scale: a.scale };
}

export function negate(type: LogicalType): Kernel {
  return (args, rows) => {
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const data = scaled(args[0]!);
    if (data.kind === 'integers') {
      const negated: Integers = { kind: 'integers', values: data.values.map((n) => -n), scale: data.scale };
      return inRange(type, negated, outcome, rows);
    }
    const values = new Float64Array(rows);
    if (type.kind === 'float') for (let i = 0; i < rows; i++) values[i] = -data.values[i]!;
    else for (let i = 0; i < rows; i++) values[i] = 0 - data.values[i]!;
    return inRange(type, { kind: 'numbers', values, scale: data.scale }, outcome, rows);
  };
}

/** Fails the rows whose result does not fit the type. */
export function inRange(type: LogicalType, data: Scaled, outcome: Outcome, rows: number): Vector {
  if (data.kind === 'integers') {
    const fits = bigFits(type);
    if (fits) {
      for (let i = 0; i < rows; i++) {
        if (fits(data.values[i]!)) continue;
        outcome.fail(i, `the result ${shown(data.values[i]!)} does not fit ${formatType(type)}`);
        data.values[i] = 0n;
      }
    }
  } else {
    failOutside(type, data.values, outcome);
  }
  return { length: rows, data, ...outcome.status() };
}

function shown(n: bigint): string {
  const text = n.toString();
  return text.length > 40 ? `of ${text.length} digits` : text;
}

function bigFits(type: LogicalType): ((n: bigint) => boolean) | undefined {
  if (type.kind === 'decimal') {
    const { precision } = type;
    return precision === undefined ? undefined : (n) => fitsPrecision(n, precision);
  }
  if (type.kind === 'int' && !type.signed) return (n) => BigInt.asUintN(type.bits, n) === n;
  if (type.kind === 'date') return (n) => BigInt.asIntN(32, n) === n;
  const bits = type.kind === 'int' ? type.bits : 64;
  return (n) => BigInt.asIntN(bits, n) === n;
}

/** Safe numbers fit every 64-bit type but an unsigned one; decimals are typed so that they fit. */
function failOutside(type: LogicalType, values: Float64Array, outcome: Outcome): void {
  const [low, high] = bounds(type);
  if (low === -Infinity && high === Infinity) return;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! >= low && values[i]! <= high) continue;
    outcome.fail(i, `the result ${values[i]} does not fit ${formatType(type)}`);
    values[i] = 0;
  }
}

function bounds(type: LogicalType): readonly [number, number] {
  if (type.kind === 'date') return [-(2 ** 31), 2 ** 31 - 1];
  if (type.kind !== 'int') return [-Infinity, Infinity];
  if (!type.signed) return [0, type.bits === 64 ? Infinity : 2 ** type.bits - 1];
  return type.bits === 64 ? [-Infinity, Infinity] : [-(2 ** (type.bits - 1)), 2 ** (type.bits - 1) - 1];
}
