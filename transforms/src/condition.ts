/** What a condition says of single rows. */
import { type Batch, getBit, type SluiceError } from '@sluice/sdk';
import { expressionErrors } from './errors.js';
import { NOT_SENT } from './kernels/from-column.js';
import { expectKind, hasValue, type Vector } from './kernels/vector.js';
import { rowError } from './row-error.js';

/** True or false as far as it is known: not for a row in error. */
export function holds(matches: Vector, row: number): boolean | undefined {
  if (matches.errors?.has(row)) return undefined;
  return hasValue(matches, row) && getBit(expectKind(matches, 'bits').values, row);
}

/** A row for which a condition is neither true nor false, nor null. */
export function noResult(batch: Batch, row: number, reason: string): SluiceError {
  const factory = reason === NOT_SENT ? expressionErrors.notSent : expressionErrors.evaluation;
  return rowError(factory, batch, undefined, row, `the condition has no result: ${reason}`);
}
