/** Functions of numbers. */
import { types } from '@sluice/sdk';
import type { Rounding } from '../kernels/rounding.js';
import { adapt, decimalType, digitsOf, isInt, isUint64, mismatch } from './coerce.js';
import { type Node, strictCall } from './node.js';
import { quotient } from './operators.js';
import { type Arguments, define, INT } from './signature.js';

const MAX_DIGITS = 38;

function rounding(op: Rounding, usage: string, most: number) {
  return define(usage, 1, most, (args) => {
    const { first, span } = args;
    const digits = args.nodes.length > 1 ? args.literalInteger(1, 0, MAX_DIGITS) : 0;
    if (isInt(first.type) || isUint64(first.type)) return first;
    if (first.type.kind === 'decimal') return roundDecimal(op, first, digits, args);
    if (first.type.kind !== 'float') throw args.refuse();
    if (digits > 0)
      throw mismatch(span, 'a double has no decimal digits to round to', 'Write round(decimal(x), n).');
    return strictCall(types.float64, { op, digits }, [first], span);
  });
}

function roundDecimal(op: Rounding, node: Node, digits: number, { span }: Arguments): Node {
  const held = digitsOf(node.type);
  if (held && held.scale <= digits) return node;
  const type = held ? decimalType(held.whole + 1, digits) : types.decimal();
  return strictCall(type, { op, digits }, [node], span);
}

function absolute(args: Arguments): Node {
  const { type } = args.first;
  if (isUint64(type)) return args.first;
  const result = isInt(type) ? INT : type.kind === 'float' ? types.float64 : type;
  if (!isInt(type) && !['float', 'decimal', 'duration'].includes(type.kind)) throw args.refuse();
  return strictCall(result, { op: 'abs' }, [args.first], args.span);
}

function divide(args: Arguments): Node {
  const digits = args.literalInteger(2, 0, MAX_DIGITS);
  const [a, b] = args.nodes.slice(0, 2).map((node) => adapt(node, types.decimal())) as [Node, Node];
  for (const node of [a, b])
    if (node.type.kind !== 'decimal' && node.type.kind !== 'int') throw args.refuse(node);
  return quotient(a, b, digits, args.span);
}

export const numberFunctions = [
  rounding('round', 'round(number[, digits])', 2),
  rounding('floor', 'floor(number)', 1),
  rounding('ceil', 'ceil(number)', 1),
  define('abs(number)', 1, 1, absolute),
  define('divide(number, by, digits)', 3, 3, divide),
];
