/**
 * The expression language of `filter` and `compute`: CEL syntax over a stream's typed columns, checked when the
 * job is planned and computed column by column. Decimals and integers are exact, and a null never matches.
 */
import type { Column, LogicalType, StreamSchema } from '@sluice/sdk';
import { columnFrom } from '../kernels/to-column.js';
import type { Vector } from '../kernels/vector.js';
import { checkExpression } from './check.js';
import { mismatch } from './coerce.js';
import { compile, type Inputs } from './compile.js';
import { fold } from './fold.js';
import { columnsRead, type Node } from './node.js';
import { condition } from './operators.js';
import { parseExpression } from './parse.js';
import { withPlaces } from './problem.js';

export interface Expression {
  readonly text: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** Indices of the columns that it reads, ascending. */
  readonly reads: readonly number[];
  evaluate(inputs: Inputs): Vector;
  /** A vector of this expression as a column of its type. */
  toColumn(vector: Vector): Column;
}

/** Reads and checks an expression; throws `SLUICE-EXPR-0001` to `-0003`. */
export function compileExpression(text: string, schema: StreamSchema): Expression {
  return withPlaces(text, () => {
    const node = fold(checkExpression(parseExpression(text), schema));
    if (node.type.kind === 'null') throw mismatch(node.span, 'the expression is always null and has no type');
    return expressionOf(text, node);
  });
}

/** An expression that must be true or false. */
export function compileCondition(text: string, schema: StreamSchema): Expression {
  return withPlaces(text, () => {
    const node = fold(condition(checkExpression(parseExpression(text), schema)));
    return expressionOf(text, node);
  });
}

function expressionOf(text: string, node: Node): Expression {
  const evaluate = compile(node);
  return {
    text,
    type: node.type,
    nullable: node.nullable,
    reads: [...columnsRead(node)].sort((a, b) => a - b),
    evaluate,
    toColumn: (vector) => columnFrom(node.type, vector),
  };
}
