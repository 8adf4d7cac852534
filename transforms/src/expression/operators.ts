/** What operators mean for the types beside them. */
import { formatType, type LogicalType, types } from '@sluice/sdk';
import type { Arithmetic } from '../kernels/arithmetic.js';
import type { Comparison } from '../kernels/compare.js';
import {
  adapt,
  alignTimes,
  asInstant,
  asString,
  decimalType,
  digitsOf,
  isInt,
  isNumber,
  isText,
  isUint64,
  jsonBeside,
  mismatch,
  unify,
} from './coerce.js';
import { type Call, type Constant, call, type Node, type Span, strictCall } from './node.js';

const SYMBOLS = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

/** Digits behind the point that the quotient of bounded decimals has at least, and that of unbounded ones exactly. */
const QUOTIENT_SCALE = 6;
const UNBOUNDED_QUOTIENT_SCALE = 20;

export function logic(op: 'and' | 'or', left: Node, right: Node, span: Span): Call {
  return call(types.bool, left.nullable || right.nullable, { op }, [condition(left), condition(right)], span);
}

export function not(node: Node, span: Span): Call {
  return strictCall(types.bool, { op: 'not' }, [condition(node)], span);
}

/** A part that must be true or false. */
export function condition(node: Node): Node {
  const typed = adapt(node, types.bool);
  if (typed.type.kind === 'bool') return typed;
  throw mismatch(
    node.span,
    `expected a condition, found ${formatType(node.type)}`,
    'Compare it with something, or convert it with bool().',
  );
}

export function conditional(test: Node, yes: Node, no: Node, span: Span): Call {
  const { type, nodes } = unify([yes, no]);
  return call(type, yes.nullable || no.nullable, { op: 'conditional' }, [condition(test), ...nodes], span);
}

function isNullLiteral(node: Node): boolean {
  return node.kind === 'constant' && node.type.kind === 'null';
}

export function comparison(op: Comparison, left: Node, right: Node, span: Span): Node {
  if (isNullLiteral(left) || isNullLiteral(right))
    return nullTest(op, isNullLiteral(right) ? left : right, span);
  const [a, b] = comparable(op, left, right, span);
  const floats = a.type.kind === 'float' || b.type.kind === 'float';
  return strictCall(types.bool, { op, floats }, [a, b], span);
}

function nullTest(op: Comparison, node: Node, span: Span): Node {
  if (op !== 'eq' && op !== 'ne') {
    throw mismatch(span, `null is not in order with anything`, 'Test for null with == null or != null.');
  }
  const test = call(types.bool, false, { op: 'isNull' }, [node], span);
  return op === 'eq' ? test : call(types.bool, false, { op: 'not' }, [test], span);
}

/** Both sides in a form in which they can be compared. */
function comparable(op: Comparison, left: Node, right: Node, span: Span): [Node, Node] {
  let [a, b] = jsonSides(left, right, span);
  a = adapt(a, b.type);
  b = adapt(b, a.type);
  [a, b] = alignTimes(a, b);
  if (!areComparable(a.type, b.type)) {
    throw mismatch(
      span,
      `${formatType(a.type)} ${SYMBOLS[op]} ${formatType(b.type)} cannot be compared`,
      comparisonHelp(a.type, b.type),
    );
  }
  if (a.type.kind === 'bool' && op !== 'eq' && op !== 'ne')
    throw mismatch(span, 'true and false have no order');
  return [a, b];
}

function jsonSides(left: Node, right: Node, span: Span): [Node, Node] {
  if (left.type.kind === 'json' && right.type.kind === 'json') {
    throw mismatch(
      span,
      'two JSON values cannot be compared',
      'Convert them, for example with string() or decimal().',
    );
  }
  if (left.type.kind === 'json') return [jsonBeside(left, right.type), right];
  if (right.type.kind === 'json') return [left, jsonBeside(right, left.type)];
  return [left, right];
}

function areComparable(a: LogicalType, b: LogicalType): boolean {
  if (isText(a) && isText(b)) return true;
  if (isNumber(a) && isNumber(b))
    return !([a.kind, b.kind].includes('float') && [a.kind, b.kind].includes('decimal'));
  if (a.kind !== b.kind) return false;
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return a.zone === b.zone;
  return ['bool', 'bytes', 'uuid', 'date', 'time', 'duration'].includes(a.kind);
}

function comparisonHelp(a: LogicalType, b: LogicalType): string | undefined {
  const kinds = [a.kind, b.kind];
  if (kinds.includes('float') && kinds.includes('decimal')) {
    return 'A double is not exact: write decimal(x) to compare its shortest decimal notation, or double(x).';
  }
  if (kinds.includes('date') && kinds.includes('timestamp'))
    return 'Write date(x) to take the day of the timestamp.';
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    return 'One is an instant, the other a wall-clock reading without a zone; which zone is meant must be settled by the source.';
  }
  return undefined;
}

/** `x in [a, b]` by constants of one kind, in one look-up. */
const SET_FROM = 6;

export function membership(needle: Node, list: Node | readonly Node[], span: Span): Node {
  if (!isNodeList(list)) return inListColumn(needle, list, span);
  if (list.length === 0) throw mismatch(span, 'the list is empty');
  const members = list.length >= SET_FROM ? constantSet(needle, list) : undefined;
  if (members) return strictCall(types.bool, { op: 'inSet', members }, [asString(needle)], span);
  return anyOf(
    list.map((item) => comparison('eq', needle, item, span)),
    span,
  );
}

/** A tree of `||` as flat as it can be, as lists may be long. */
function anyOf(nodes: readonly Node[], span: Span): Node {
  if (nodes.length === 1) return nodes[0]!;
  const half = nodes.length >> 1;
  return logic('or', anyOf(nodes.slice(0, half), span), anyOf(nodes.slice(half), span), span);
}

function isNodeList(list: Node | readonly Node[]): list is readonly Node[] {
  return Array.isArray(list);
}

/** The constants' texts, when they are strings beside text or integers beside integers. */
function constantSet(needle: Node, list: readonly Node[]): ReadonlySet<string> | undefined {
  const { type } = needle;
  if (!isText(type) && !isInt(type)) return undefined;
  const members = new Set<string>();
  for (const item of list) {
    const same = isText(type) ? item.type.kind === 'string' : isInt(item.type);
    if (item.kind !== 'constant' || !same) return undefined;
    adapt(item, type);
    members.add(String(item.value));
  }
  return members;
}

function inListColumn(needle: Node, list: Node, span: Span): Node {
  if (list.type.kind !== 'list') {
    throw mismatch(list.span, `expected a list, found ${formatType(list.type)}`);
  }
  const item = list.type.item.type;
  const adapted = adapt(needle, item);
  const comparableItems =
    areComparable(adapted.type, item) && ![adapted.type.kind, item.kind].includes('float');
  const sameUnits = adapted.type.kind !== 'timestamp' || formatType(adapted.type) === formatType(item);
  if (!comparableItems || !sameUnits) {
    throw mismatch(span, `${formatType(adapted.type)} cannot be looked for in ${formatType(list.type)}`);
  }
  return call(types.bool, true, { op: 'inList' }, [adapted, list], span);
}

export function negation(node: Node, span: Span): Node {
  if (node.kind === 'constant' && node.literal !== undefined && isNumber(node.type))
    return negativeLiteral(node, span);
  const { type } = node;
  if (isInt(type)) return strictCall(types.int64, { op: 'negate' }, [node], span);
  if (type.kind === 'float') return strictCall(types.float64, { op: 'negate' }, [node], span);
  if (type.kind === 'decimal' || type.kind === 'duration')
    return strictCall(type, { op: 'negate' }, [node], span);
  throw mismatch(span, `${formatType(type)} has no negative`);
}

function negativeLiteral(node: Constant, span: Span): Node {
  const literal = `-${node.literal}`;
  const value = typeof node.value === 'bigint' ? -node.value : -Number(node.value);
  return { ...node, literal, value, span };
}

export function arithmetic(op: Arithmetic, left: Node, right: Node, span: Span): Node {
  const result =
    isNumber(left.type) && isNumber(right.type)
      ? numbers(op, adapt(left, right.type), adapt(right, left.type), span)
      : others(op, left, right, span);
  if (result) return result;
  const found = `${formatType(left.type)} ${SYMBOLS[op]} ${formatType(right.type)}`;
  throw mismatch(span, `${found} has no meaning`, arithmeticHelp(left.type, right.type));
}

function arithmeticHelp(a: LogicalType, b: LogicalType): string | undefined {
  if (a.kind === 'json' || b.kind === 'json')
    return 'Convert the JSON value: string(), int(), decimal(), double().';
  if (isText(a) || isText(b)) return 'Convert the other side with string().';
  if (!isNumber(a) || !isNumber(b)) return undefined;
  if (a.kind === 'float' || b.kind === 'float') {
    return 'A double is not exact and does not mix by itself: convert one side with double(), int() or decimal().';
  }
  return 'Convert one side: int(), uint() or decimal().';
}

function numbers(op: Arithmetic, a: Node, b: Node, span: Span): Node | undefined {
  const kinds = [a.type.kind, b.type.kind];
  if (kinds.includes('float')) {
    if (a.type.kind !== b.type.kind || op === 'mod') return undefined;
    return strictCall(types.float64, { op, scale: 0 }, [a, b], span);
  }
  if (kinds.includes('decimal')) return decimals(op, a, b, span);
  if (isUint64(a.type) && isUint64(b.type)) return strictCall(types.uint64, { op, scale: 0 }, [a, b], span);
  if (isInt(a.type) && isInt(b.type)) return strictCall(types.int64, { op, scale: 0 }, [a, b], span);
  return undefined;
}

function decimals(op: Arithmetic, a: Node, b: Node, span: Span): Node {
  const x = digitsOf(a.type);
  const y = digitsOf(b.type);
  if (x === undefined || y === undefined) {
    return strictCall(types.decimal(), { op, scale: UNBOUNDED_QUOTIENT_SCALE }, [a, b], span);
  }
  const scale = Math.max(x.scale, y.scale);
  switch (op) {
    case 'add':
    case 'sub':
      return strictCall(decimalType(Math.max(x.whole, y.whole) + 1, scale), { op, scale }, [a, b], span);
    case 'mul':
      return strictCall(decimalType(x.whole + y.whole, x.scale + y.scale), { op, scale }, [a, b], span);
    case 'div':
      return quotient(a, b, Math.max(QUOTIENT_SCALE, scale), span);
    case 'mod':
      return strictCall(decimalType(Math.min(x.whole, y.whole) + 1, scale), { op, scale }, [a, b], span);
  }
}

/** `a / b` with so many digits behind the point. */
export function quotient(a: Node, b: Node, scale: number, span: Span): Node {
  const x = digitsOf(a.type);
  const y = digitsOf(b.type);
  const type = x && y ? decimalType(x.whole + y.scale + 1, scale) : types.decimal();
  return strictCall(type, { op: 'div', scale }, [a, b], span);
}

/** Text, bytes, and time. */
function others(op: Arithmetic, left: Node, right: Node, span: Span): Node | undefined {
  if (op === 'add' && isText(left.type) && isText(right.type)) {
    return strictCall(
      types.string,
      { op: 'concat' },
      [...joined(asString(left)), ...joined(asString(right))],
      span,
    );
  }
  if (op === 'add' && left.type.kind === 'bytes' && right.type.kind === 'bytes') {
    return strictCall(types.bytes, { op: 'concat' }, [left, right], span);
  }
  return op === 'add' || op === 'sub' ? timeArithmetic(op, left, right, span) : undefined;
}

/** The parts of a concatenation, so that `a + "-" + b` is written once. */
function joined(node: Node): readonly Node[] {
  return node.kind === 'call' && node.operation.op === 'concat' && node.type.kind === 'string'
    ? node.args
    : [node];
}

function timeArithmetic(op: 'add' | 'sub', left: Node, right: Node, span: Span): Node | undefined {
  const duration = { kind: 'duration', unit: 'us' } as const;
  const isPoint = (type: LogicalType) => type.kind === 'timestamp';
  if (left.type.kind === 'date' && isInt(right.type))
    return strictCall(types.date, { op, scale: 0 }, [left, right], span);
  if (left.type.kind === 'date' && right.type.kind === 'date' && op === 'sub') {
    return strictCall(types.int64, { op, scale: 0 }, [left, right], span);
  }
  if (left.type.kind === 'duration' && isPoint(right.type) && op === 'add') {
    return timeArithmetic(op, right, left, span);
  }
  const a = asInstant(isPoint(right.type) && op === 'sub' ? adapt(left, right.type) : left);
  if (!isPoint(a.type) && a.type.kind !== 'duration') return undefined;
  const b = asInstant(isPoint(a.type) && op === 'sub' ? adaptPoint(right, a.type) : adapt(right, duration));
  const [x, y] = alignTimes(a, b);
  const bothPoints = x.type.kind === 'timestamp' && y.type.kind === 'timestamp';
  if (bothPoints && op === 'sub' && areComparable(x.type, y.type)) {
    const unit = x.type.kind === 'timestamp' ? x.type.unit : 'us';
    return strictCall({ kind: 'duration', unit }, { op, scale: 0 }, [x, y], span);
  }
  if ((x.type.kind === 'timestamp' || x.type.kind === 'duration') && y.type.kind === 'duration') {
    return strictCall(x.type, { op, scale: 0 }, [x, y], span);
  }
  return undefined;
}

/** Behind `timestamp -` a string is a duration when it reads as one, else a timestamp. */
function adaptPoint(node: Node, point: LogicalType): Node {
  if (node.kind !== 'constant' || node.literal === undefined) return node;
  return /^[+-]?[\d.]+(d|h|m|s|us|µs|ns)/.test(node.literal)
    ? adapt(node, types.duration)
    : adapt(node, point);
}
