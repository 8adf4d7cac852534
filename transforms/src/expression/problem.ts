/** Errors of an expression, with the place in its text. */
import type { ErrorFactory, SluiceError } from '@sluice/sdk';
import type { Span } from './node.js';

/** An error whose message shows the line of the expression and marks the part that is meant. */
function problemAt(
  factory: ErrorFactory,
  expression: string,
  span: Span,
  message: string,
  help?: string,
): SluiceError {
  const from = expression.lastIndexOf('\n', span.start - 1) + 1;
  const behind = expression.indexOf('\n', span.start);
  const line = expression.slice(from, behind < 0 ? undefined : behind);
  const column = span.start - from;
  const width = Math.max(1, Math.min(span.end - span.start, line.length - column));
  const marked = `${message}\n  ${line}\n  ${' '.repeat(column)}${'^'.repeat(width)}`;
  return factory(marked, { details: { expression, at: span.start }, ...(help !== undefined && { help }) });
}

/** A problem on its way to where the whole expression is known. */
export class Problem extends Error {
  constructor(
    readonly factory: ErrorFactory,
    readonly span: Span,
    message: string,
    readonly help?: string,
  ) {
    super(message);
  }
}

/** Runs a step of reading an expression; its problems become coded errors with their place. */
export function withPlaces<T>(expression: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw problemAt(error.factory, expression, error.span, error.message, error.help);
  }
}
