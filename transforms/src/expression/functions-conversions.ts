/** Conversions between types. */
import { type LogicalType, types } from '@sluice/sdk';
import { expressionErrors } from '../errors.js';
import {
  adapt,
  asInstant,
  asString,
  decimalConstant,
  decimalType,
  digitsOf,
  isText,
  mismatch,
} from './coerce.js';
import { call, type Node, strictCall } from './node.js';
import { Problem } from './problem.js';
import { type Arguments, define } from './signature.js';

const MAX_PRECISION = 38;

function text(args: Arguments): Node {
  const { first, span } = args;
  if (first.type.kind === 'json') return call(types.string, true, { op: 'jsonText' }, [first], span);
  if (first.type.kind === 'string') return first;
  const node = asInstant(first);
  const kinds = [
    'bool',
    'int',
    'float',
    'decimal',
    'bytes',
    'uuid',
    'date',
    'time',
    'timestamp',
    'duration',
    'enum',
    'native',
  ];
  if (!kinds.includes(node.type.kind)) throw args.refuse();
  return strictCall(types.string, { op: 'toText' }, [node], span);
}

function integer(to: LogicalType) {
  return (args: Arguments): Node => {
    const { first, span } = args;
    if (first.type.kind === 'json') return call(to, true, { op: 'jsonTo' }, [first], span);
    const node = isText(first.type) ? asString(first) : asInstant(first);
    const isInstant = node.type.kind === 'timestamp' && node.type.zone === 'utc';
    if (!['int', 'float', 'decimal', 'string'].includes(node.type.kind) && !isInstant) throw args.refuse();
    return strictCall(to, { op: 'toInteger' }, [node], span);
  };
}

function double(args: Arguments): Node {
  const { first, span } = args;
  if (first.type.kind === 'json') return call(types.float64, true, { op: 'jsonTo' }, [first], span);
  const node = asString(first);
  if (node.type.kind === 'float' && node.type.bits === 64) return node;
  if (!['int', 'float', 'decimal', 'string'].includes(node.type.kind)) throw args.refuse();
  return strictCall(types.float64, { op: 'toDouble' }, [node], span);
}

function decimal(args: Arguments): Node {
  const { first, span } = args;
  if (args.nodes.length === 2) throw mismatch(span, `${args.usage}: give precision and scale, or neither`);
  const declared = args.nodes.length === 3 ? declaredDecimal(args) : undefined;
  if (!declared && first.kind === 'constant' && first.literal !== undefined) return literalDecimal(args);
  if (first.type.kind === 'json')
    return call(declared ?? types.decimal(), true, { op: 'jsonTo' }, [first], span);
  const node = asString(first);
  if (!['int', 'float', 'decimal', 'string'].includes(node.type.kind)) throw args.refuse();
  const held = digitsOf(node.type);
  const type = declared ?? (held ? decimalType(held.whole, held.scale) : types.decimal());
  if (node.type.kind === 'decimal' && !declared) return node;
  return strictCall(type, { op: 'toDecimal' }, [node], span);
}

function declaredDecimal(args: Arguments): LogicalType {
  const precision = args.literalInteger(1, 1, MAX_PRECISION);
  return types.decimal(precision, args.literalInteger(2, 0, precision));
}

function literalDecimal(args: Arguments): Node {
  const { first } = args;
  const read = first.kind === 'constant' ? decimalConstant(first.literal ?? '', first.span) : undefined;
  if (read) return { ...read, span: args.span };
  throw new Problem(expressionErrors.badConstant, first.span, 'this is no decimal number');
}

function bool(args: Arguments): Node {
  const { first, span } = args;
  if (first.type.kind === 'bool') return first;
  if (first.type.kind === 'json') return call(types.bool, true, { op: 'jsonTo' }, [first], span);
  return strictCall(types.bool, { op: 'toBool' }, [args.text(0)], span);
}

function bytes(args: Arguments): Node {
  if (args.first.type.kind === 'bytes') return args.first;
  return strictCall(types.bytes, { op: 'toBytes' }, [args.text(0)], args.span);
}

function uuid(args: Arguments): Node {
  if (args.first.type.kind === 'uuid') return args.first;
  if (args.first.type.kind === 'json')
    return call(types.uuid, true, { op: 'jsonTo' }, [args.first], args.span);
  const node = adapt(args.first, types.uuid);
  return node.type.kind === 'uuid'
    ? node
    : strictCall(types.uuid, { op: 'toUuid' }, [args.text(0)], args.span);
}

export const conversionFunctions = [
  define('string(value)', 1, 1, text),
  define('int(value)', 1, 1, integer(types.int64)),
  define('uint(value)', 1, 1, integer(types.uint64)),
  define('double(value)', 1, 1, double),
  define('decimal(value[, precision, scale])', 1, 3, decimal),
  define('bool(value)', 1, 1, bool),
  define('bytes(text)', 1, 1, bytes),
  define('uuid(text)', 1, 1, uuid),
];
