/**
 * The meaning of expressions in its plainest form: one row at a time, on the values that rows hold, by the slow and
 * obvious ways of JavaScript. Tests compare the kernels with it; nothing else uses it.
 */
import { type LogicalType, type Row, Special, type StreamSchema, UNCHANGED, type Value } from '@sluice/sdk';
import type { Call, Node, Operation } from './node.js';
import { type Ref, ReferenceDecimal, RowFailure, refOf, rowValueOf } from './reference-values.js';

/** The value of an expression for a row; throws {@link RowFailure} when there is none. */
export function interpret(node: Node, row: Row, schema: StreamSchema): Value {
  if (node.kind === 'column') {
    const value = row[schema.fields[node.index]!.name] ?? null;
    if (value === UNCHANGED) throw new RowFailure('not sent');
    return value;
  }
  return rowValueOf(node.type, evaluate(node, row, schema));
}

function evaluate(node: Node, row: Row, schema: StreamSchema): Ref {
  if (node.kind === 'constant') return refOf(node.type, node.value);
  if (node.kind === 'column') return refOf(node.type, interpret(node, row, schema));
  const later = node.args.map((arg) => () => evaluate(arg, row, schema));
  const { op } = node.operation;
  if (op === 'and' || op === 'or') return logical(op, later[0]!, later[1]!);
  if (op === 'conditional') return inType(node.type, later[0]!() === true ? later[1]!() : later[2]!());
  if (op === 'coalesce') return inType(node.type, first(later));
  return apply(
    node,
    later.map((get) => get()),
  );
}

/** A chosen value in the common type of the choices. */
function inType(type: LogicalType, value: Ref): Ref {
  return value === null || value instanceof Special ? value : refOf(type, rowValueOf(type, value));
}

function logical(op: 'and' | 'or', left: () => Ref, right: () => Ref): Ref {
  const decisive = op === 'or';
  const [a, b] = [attempt(left), attempt(right)];
  if (a === decisive || b === decisive) return decisive;
  for (const side of [a, b]) if (side instanceof RowFailure) throw side;
  return a === null || b === null ? null : !decisive;
}

function attempt(get: () => Ref): Ref | RowFailure {
  try {
    return get();
  } catch (error) {
    if (error instanceof RowFailure) return error;
    throw error;
  }
}

function first(choices: readonly (() => Ref)[]): Ref {
  for (const get of choices) {
    const value = get();
    if (value !== null) return value;
  }
  return null;
}

const COMPARISONS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'inSet'];

function apply(node: Call, args: readonly Ref[]): Ref {
  const { operation } = node;
  if (operation.op === 'isNull') return args[0] === null;
  if (operation.op === 'isSpecial') return args[0] === null ? null : args[0] instanceof Special;
  if (operation.op === 'toText' && args[0] instanceof Special) return args[0].text;
  const special = args.find((arg) => arg instanceof Special);
  if (special && (COMPARISONS.includes(operation.op) || operation.op === 'inList' || operation.op === 'not'))
    return null;
  if (special) throw new RowFailure('special');
  if (args.some((arg) => arg === null)) return null;
  return compute(node, operation, args);
}

function compute(node: Call, operation: Operation, args: readonly Ref[]): Ref {
  const [a, b, c] = args;
  const { type } = node;
  const text = a as string;
  const from = node.args[0]!.type;
  switch (operation.op) {
    case 'not':
      return !a;
    case 'eq':
      return order(a, b) === 0;
    case 'ne':
      return order(a, b) !== 0;
    case 'lt':
      return order(a, b) < 0;
    case 'le':
      return order(a, b) <= 0;
    case 'gt':
      return order(a, b) > 0;
    case 'ge':
      return order(a, b) >= 0;
    case 'inSet':
      return operation.members.has(String(a));
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
      return bounded(type, arithmetic(operation.op, a, b, operation.scale));
    case 'negate':
      return bounded(type, negative(a));
    case 'abs':
      return bounded(
        type,
        typeof a === 'number' ? Math.abs(a) : order(a, zeroLike(a)) < 0 ? negative(a) : a!,
      );
    case 'round':
    case 'floor':
    case 'ceil':
      return typeof a === 'number'
        ? roundDouble(operation.op, a)
        : (a as ReferenceDecimal).rounded(operation.op, operation.digits);
    case 'concat':
      return args.join('');
    case 'lower':
      return text.toLowerCase();
    case 'upper':
      return text.toUpperCase();
    case 'trim':
      return text.trim();
    case 'substring': {
      const [start, end] = [Math.max(0, Number(b)), c === undefined ? undefined : Math.max(0, Number(c))];
      return [...text].slice(start, end).join('');
    }
    case 'replace':
      return b === '' ? text : text.split(b as string).join(c as string);
    case 'textSize':
      return BigInt([...text].length);
    case 'contains':
      return text.includes(b as string);
    case 'startsWith':
      return text.startsWith(b as string);
    case 'endsWith':
      return text.endsWith(b as string);
    case 'matches':
      return new RegExp(operation.pattern.pattern(), 'u').test(text);
    case 'toText':
      return textOf(from, a!);
    case 'toInteger':
      return bounded(type, whole(from, a!));
    case 'toDouble':
      return a instanceof ReferenceDecimal ? Number(a.toString()) : toNumber(a!);
    case 'toDecimal':
      return toDecimal(a!, type);
    case 'midnight':
      return bounded(type, (a as bigint) * 86_400_000_000n);
    case 'dateOf':
      return floorDiv(a as bigint, 86_400_000_000n);
    case 'timePart':
      return datePart(operation.part, from, a as bigint);
    default:
      throw new TypeError(`the reference does not know ${operation.op}`);
  }
}

function order(a: Ref | undefined, b: Ref | undefined): number {
  if (typeof a === 'number' || typeof b === 'number') {
    const [x, y] = [a as number | bigint, b as number | bigint];
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a double are compared by value
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : Number.NaN;
  }
  if (a instanceof ReferenceDecimal || b instanceof ReferenceDecimal)
    return decimalOf(a).compare(decimalOf(b));
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0;
}

function decimalOf(value: Ref | undefined): ReferenceDecimal {
  return value instanceof ReferenceDecimal ? value : new ReferenceDecimal(value as bigint, 0);
}

function zeroLike(value: Ref | undefined): Ref {
  return value instanceof ReferenceDecimal ? new ReferenceDecimal(0n, 0) : 0n;
}

function negative(value: Ref | undefined): Ref {
  if (value instanceof ReferenceDecimal) return new ReferenceDecimal(-value.unscaled, value.scale);
  return -(value as bigint);
}

function arithmetic(op: string, a: Ref | undefined, b: Ref | undefined, scale: number): Ref {
  if (typeof a === 'number' && typeof b === 'number') {
    return op === 'add' ? a + b : op === 'sub' ? a - b : op === 'mul' ? a * b : a / b;
  }
  if (a instanceof ReferenceDecimal || b instanceof ReferenceDecimal)
    return decimalOf(a).apply(op, decimalOf(b), scale);
  const [x, y] = [a as bigint, b as bigint];
  if (op === 'add') return x + y;
  if (op === 'sub') return x - y;
  if (op === 'mul') return x * y;
  if (y === 0n) throw new RowFailure('division by zero');
  return op === 'div' ? x / y : x % y;
}

function bounded(type: LogicalType, value: Ref): Ref {
  if (typeof value !== 'bigint') return value;
  const bits = type.kind === 'date' ? 32 : 64;
  const held = type.kind === 'int' && !type.signed ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  if (held !== value) throw new RowFailure('overflow');
  return value;
}

function roundDouble(op: string, n: number): number {
  if (op === 'floor') return Math.floor(n);
  if (op === 'ceil') return Math.ceil(n);
  const size = Math.abs(n);
  const rounded = size - Math.floor(size) >= 0.5 ? Math.ceil(size) : Math.floor(size);
  return n < 0 || Object.is(n, -0) ? -rounded : rounded;
}

function floorDiv(n: bigint, by: bigint): bigint {
  const quotient = n / by;
  return n % by < 0n ? quotient - 1n : quotient;
}

function dateOf(type: LogicalType, value: bigint): Date {
  return new Date(type.kind === 'date' ? Number(value) * 86_400_000 : Number(floorDiv(value, 1000n)));
}

function datePart(part: string, type: LogicalType, value: bigint): bigint {
  const date = dateOf(type, value);
  const yearStart = new Date(0);
  yearStart.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  const parts: { [part: string]: number } = {
    getFullYear: date.getUTCFullYear(),
    getMonth: date.getUTCMonth(),
    getDate: date.getUTCDate(),
    getDayOfMonth: date.getUTCDate() - 1,
    getDayOfWeek: date.getUTCDay(),
    getDayOfYear: Math.floor((date.getTime() - yearStart.getTime()) / 86_400_000),
    getHours: date.getUTCHours(),
    getMinutes: date.getUTCMinutes(),
    getSeconds: date.getUTCSeconds(),
    getMilliseconds: date.getUTCMilliseconds(),
  };
  return BigInt(parts[part]!);
}

function textOf(type: LogicalType, value: Ref): string {
  if (value instanceof ReferenceDecimal)
    return type.kind === 'decimal' && type.scale === undefined ? value.shortest() : value.toString();
  if (type.kind === 'date')
    return dateOf(type, value as bigint)
      .toISOString()
      .split('T')[0]!;
  if (type.kind !== 'timestamp') return String(value);
  const micros = (((value as bigint) % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const fraction = micros === 0n ? '' : `.${micros.toString().padStart(6, '0').replace(/0+$/, '')}`;
  return `${
    dateOf(type, value as bigint)
      .toISOString()
      .split('.')[0]
  }${fraction}Z`;
}

function whole(type: LogicalType, value: Ref): bigint {
  if (type.kind === 'timestamp') return floorDiv(value as bigint, 1_000_000n);
  if (value instanceof ReferenceDecimal) return value.unscaled / 10n ** BigInt(value.scale);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RowFailure('no whole number');
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  if (typeof value === 'bigint') return value;
  if (!/^\s*[+-]?\d{1,40}\s*$/.test(value as string)) throw new RowFailure('no whole number');
  return BigInt((value as string).trim().replace('+', ''));
}

function toNumber(value: Ref): number {
  if (typeof value !== 'string') return Number(value);
  if (
    value.trim() === '' ||
    (Number.isNaN(Number(value)) && value.trim() !== 'NaN') ||
    /0[xob]/i.test(value)
  ) {
    throw new RowFailure('no number');
  }
  return Number(value);
}

function toDecimal(value: Ref, type: LogicalType): Ref {
  const read = value instanceof ReferenceDecimal ? value : ReferenceDecimal.parse(String(value));
  if (read === undefined) throw new RowFailure('no decimal');
  return type.kind === 'decimal' && type.scale !== undefined
    ? read.exactly(type.precision!, type.scale)
    : read;
}
