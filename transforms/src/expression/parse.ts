/** From text to a syntax tree: the CEL grammar (https://github.com/google/cel-spec/blob/master/doc/langdef.md). */
import { type ASTNode, ParseError, parse } from '@marcbachmann/cel-js';
import { expressionErrors } from '../errors.js';
import { Problem } from './problem.js';

export type Syntax = ASTNode;

export function parseExpression(text: string): Syntax {
  try {
    return parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { start, end } = error.range ?? { start: 0, end: text.length };
    throw new Problem(expressionErrors.syntax, { start, end }, error.summary);
  }
}
