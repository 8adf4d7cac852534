/** From text to a syntax tree: the CEL grammar (https://github.com/google/cel-spec/blob/master/doc/langdef.md). */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { expressionErrors } from '../errors.js';
import { Problem } from './problem.js';

export type Syntax = ASTNode;

/** Lists of constants may be long; depth stays bounded, as what follows is recursive. */
const grammar = new Environment({ limits: { maxListElements: 50_000, maxDepth: 250 } });

export function parseExpression(text: string): Syntax {
  try {
    return grammar.parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { start, end } = error.range ?? { start: 0, end: text.length };
    throw new Problem(expressionErrors.syntax, { start, end }, error.summary);
  }
}
