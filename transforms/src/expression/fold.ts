/** Computes constant parts once, so that their errors are found when the job is planned. */
import { formatType, valueReader } from '@sluice/sdk';
import { expressionErrors } from '../errors.js';
import { columnFrom } from '../kernels/to-column.js';
import { evaluateConstant } from './compile.js';
import type { Call, Constant, Node } from './node.js';
import { Problem } from './problem.js';

export function fold(node: Node): Node {
  if (node.kind === 'constant') checkRange(node);
  if (node.kind !== 'call') return node;
  const args = node.args.map(fold);
  const folded: Call = { ...node, args };
  return args.every((arg) => arg.kind === 'constant') ? constantOf(folded) : folded;
}

function constantOf(node: Call): Node {
  const vector = evaluateConstant(node);
  const reason = vector.errors?.get(0);
  if (reason !== undefined) throw new Problem(expressionErrors.badConstant, node.span, reason);
  const value = valueReader(node.type, columnFrom(node.type, vector))(0);
  return { kind: 'constant', type: node.type, nullable: value === null, span: node.span, value };
}

/** An integer is read without bounds, as its sign may belong to it or be an operator. */
function checkRange({ type, value, span }: Constant): void {
  if (type.kind !== 'int' || typeof value !== 'bigint') return;
  const held = type.signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (held !== value)
    throw new Problem(expressionErrors.badConstant, span, `${value} does not fit ${formatType(type)}`);
}
