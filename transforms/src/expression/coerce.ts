/** How the parts of an expression are brought to a common type. */
import {
  formatDecimal,
  formatType,
  type LogicalType,
  nearestName,
  parseUuid,
  sameType,
  types,
} from '@sluice/sdk';
import { expressionErrors } from '../errors.js';
import { readDecimal } from '../kernels/decimal-text.js';
import { parseUnits } from '../kernels/time.js';
import { type Constant, call, type Node, type Span, strictCall } from './node.js';
import { Problem } from './problem.js';

const MAX_PRECISION = 38;

export function mismatch(span: Span, message: string, help?: string): Problem {
  return new Problem(expressionErrors.typeMismatch, span, message, help);
}

function badConstant(node: Constant, message: string): Problem {
  return new Problem(expressionErrors.badConstant, node.span, message);
}

export function isText(type: LogicalType): boolean {
  return type.kind === 'string' || type.kind === 'enum' || type.kind === 'native';
}

/** Integers that int64 holds. */
export function isInt(type: LogicalType): boolean {
  return type.kind === 'int' && (type.signed || type.bits < 64);
}

export function isUint64(type: LogicalType): boolean {
  return type.kind === 'int' && !type.signed && type.bits === 64;
}

export function isNumber(type: LogicalType): boolean {
  return type.kind === 'int' || type.kind === 'float' || type.kind === 'decimal';
}

/** The type of a decimal constant, as tight as its digits. */
export function decimalConstant(text: string, span: Span): Constant | undefined {
  const read = readDecimal(text);
  if (read === undefined) return undefined;
  const digits = (read.unscaled < 0n ? -read.unscaled : read.unscaled).toString().length;
  const precision = Math.max(digits, read.scale + 1);
  const type = precision > MAX_PRECISION ? types.decimal() : types.decimal(precision, read.scale);
  return { kind: 'constant', type, nullable: false, span, value: formatDecimal(read.unscaled, read.scale) };
}

/** A decimal type of so many digits, or the unbounded one where they are too many. */
export function decimalType(whole: number | undefined, scale: number | undefined): LogicalType {
  if (whole === undefined || scale === undefined || whole + scale > MAX_PRECISION) return types.decimal();
  return types.decimal(Math.max(1, whole + scale), scale);
}

/** Digits before and behind the point that a number type can hold; undefined for unbounded ones. */
export function digitsOf(type: LogicalType): { whole: number; scale: number } | undefined {
  if (type.kind === 'int')
    return { whole: { 8: 3, 16: 5, 32: 10, 64: type.signed ? 19 : 20 }[type.bits], scale: 0 };
  if (type.kind !== 'decimal' || type.precision === undefined) return undefined;
  return { whole: type.precision - (type.scale ?? 0), scale: type.scale ?? 0 };
}

/** Gives a literal the type of what it stands beside, where it can be read as one; everything else stays as it is. */
export function adapt(node: Node, to: LogicalType): Node {
  if (node.kind !== 'constant') return node;
  if (node.type.kind === 'null') return { ...node, type: to };
  if (node.literal === undefined || sameType(node.type, to)) return node;
  const { literal, span } = node;
  if (isNumber(node.type)) {
    if (to.kind === 'decimal') return decimalConstant(literal, span) ?? node;
    if (node.type.kind !== 'int') return node;
    if (to.kind === 'float') return { ...node, type: types.float64, value: Number(literal) };
    return isUint64(to) && !literal.startsWith('-') ? { ...node, type: to } : node;
  }
  return node.type.kind === 'string' ? adaptText(node, literal, to) : node;
}

function adaptText(node: Constant, text: string, to: LogicalType): Node {
  switch (to.kind) {
    case 'enum': {
      if (to.values.includes(text)) return node;
      const meant = nearestName(text, to.values);
      const hint =
        meant === undefined ? `the values are ${to.values.join(', ')}` : `did you mean "${meant}"?`;
      throw badConstant(node, `${JSON.stringify(text)} is no value of the enum; ${hint}`);
    }
    case 'uuid':
      if (parseUuid(text, new Uint8Array(16))) return { ...node, type: to, value: text.toLowerCase() };
      throw badConstant(node, `${JSON.stringify(text)} is no UUID`);
    case 'date':
    case 'time':
    case 'duration':
      return timeConstant(node, text, to);
    case 'timestamp': {
      const midnight = /^[+-]?\d{4,6}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text;
      const zoned = midnight !== text && to.zone !== 'none' ? `${midnight}Z` : midnight;
      return timeConstant(node, zoned, to.zone === 'offset' ? { ...to, zone: 'utc' } : to);
    }
    default:
      return node;
  }
}

function timeConstant(node: Constant, text: string, type: LogicalType): Node {
  const units = parseUnits(type, text);
  if (units !== undefined) return { ...node, type, value: type.kind === 'date' ? Number(units) : units };
  const zone =
    type.kind === 'timestamp' && type.zone === 'utc' ? '; an instant needs an offset, such as Z' : '';
  throw badConstant(node, `${JSON.stringify(node.literal)} is no ${formatType(type)}${zone}`);
}

/** Enum labels and native text as strings. */
export function asString(node: Node): Node {
  return node.type.kind === 'string' || !isText(node.type)
    ? node
    : strictCall(types.string, { op: 'toText' }, [node], node.span);
}

/** Timestamps that keep their offset as the instants that they are. */
export function asInstant(node: Node): Node {
  if (node.type.kind !== 'timestamp' || node.type.zone !== 'offset') return node;
  return strictCall({ ...node.type, zone: 'utc' }, { op: 'instant' }, [node], node.span);
}

/** Time values in nanoseconds. */
function asNanos(node: Node): Node {
  const { type } = node;
  if ((type.kind !== 'time' && type.kind !== 'timestamp' && type.kind !== 'duration') || type.unit === 'ns')
    return node;
  return strictCall({ ...type, unit: 'ns' }, { op: 'toNanos' }, [node], node.span);
}

/** Whether a time value is counted in nanoseconds. */
function isNanos(type: LogicalType): boolean {
  return (
    (type.kind === 'time' || type.kind === 'timestamp' || type.kind === 'duration') && type.unit === 'ns'
  );
}

/** Both operands with the same instants and units. */
export function alignTimes(left: Node, right: Node): [Node, Node] {
  const a = asInstant(left);
  const b = asInstant(right);
  return isNanos(a.type) === isNanos(b.type) ? [a, b] : [asNanos(a), asNanos(b)];
}

/** Branches of a choice, or items of a list, in one type. */
export function unify(nodes: readonly Node[]): { type: LogicalType; nodes: readonly Node[] } {
  const typed = nodes.find(
    (n) => n.kind !== 'constant' || (n.type.kind !== 'null' && n.literal === undefined),
  );
  const lead = typed ?? nodes.find((n) => n.type.kind !== 'null') ?? nodes[0]!;
  const adapted = nodes.map((n) => adapt(n, lead.type));
  const first = adapted[0]!.type;
  if (adapted.every((n) => sameType(n.type, first))) return { type: first, nodes: adapted };
  const instants = adapted.map(asInstant);
  const timed = instants.some((n) => isNanos(n.type)) ? instants.map(asNanos) : instants;
  return { type: timed.reduce((type, n) => common(type, n), timed[0]!.type), nodes: timed };
}

function common(a: LogicalType, node: Node): LogicalType {
  const b = node.type;
  if (sameType(a, b)) return a;
  if (isInt(a) && isInt(b)) return types.int64;
  if (isText(a) && isText(b)) return types.string;
  if (a.kind === 'float' && b.kind === 'float') return types.float64;
  if ((a.kind === 'decimal' || a.kind === 'int') && (b.kind === 'decimal' || b.kind === 'int')) {
    const x = digitsOf(a);
    const y = digitsOf(b);
    return x && y ? decimalType(Math.max(x.whole, y.whole), Math.max(x.scale, y.scale)) : types.decimal();
  }
  if (a.kind === 'list' && b.kind === 'list' && sameType(a.item.type, b.item.type)) {
    return types.list(a.item.type, a.item.nullable || b.item.nullable);
  }
  throw mismatch(node.span, `${formatType(a)} and ${formatType(b)} have no common type`);
}

/** A JSON value as the type of what it is compared with. */
export function jsonBeside(node: Node, other: LogicalType): Node {
  const to = isText(other) ? types.string : isInt(other) || isUint64(other) ? types.decimal() : other;
  const target =
    to.kind === 'decimal'
      ? types.decimal()
      : to.kind === 'timestamp' && to.zone === 'offset'
        ? types.timestamp
        : to;
  if (!['string', 'decimal', 'float', 'bool', 'uuid', 'date', 'time', 'timestamp'].includes(target.kind)) {
    throw mismatch(node.span, `a JSON value cannot be compared with ${formatType(other)}`);
  }
  return call(target, true, { op: 'jsonAs' }, [node], node.span);
}
