import { Batch, columnValues, type Row, type Value } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vectorOf } from '../kernels/from-column.js';
import { checkExpression } from './check.js';
import { compileExpression } from './expression.js';
import { parseExpression } from './parse.js';
import { interpret } from './reference.js';
import { RowFailure } from './reference-values.js';
import { type Family, randomExpression, randomRow, randomSchema } from './testing/random-expressions.js';

const FAILED = 'no result';

/** What each row yields by the kernels, as rows show it. */
function byKernels(text: string, rows: readonly Row[]): Value[] {
  const expression = compileExpression(text, randomSchema);
  const batch = Batch.ofRows(randomSchema, rows);
  const column = (i: number) => vectorOf(randomSchema.fields[i]!.type, batch.column(i));
  const vector = expression.evaluate({ rows: rows.length, column });
  const values = columnValues(expression.type, expression.toColumn(vector));
  return values.map((value, i) => (vector.errors?.has(i) ? FAILED : value));
}

/** What each row yields by the reference. */
function byReference(text: string, rows: readonly Row[]): Value[] {
  const node = checkExpression(parseExpression(text), randomSchema);
  return rows.map((row) => {
    try {
      return interpret(node, row, randomSchema);
    } catch (error) {
      if (error instanceof RowFailure) return FAILED;
      throw error;
    }
  });
}

/** Random expressions may be refused (a constant division by zero); then there is nothing to compare. */
function isRefused(text: string): boolean {
  try {
    compileExpression(text, randomSchema);
    return false;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'SLUICE-EXPR-0006' || code === 'SLUICE-EXPR-0003') return true;
    throw error;
  }
}

const FAMILIES: readonly Family[] = [
  'bool',
  'int',
  'uint',
  'double',
  'decimal',
  'string',
  'timestamp',
  'date',
];

describe('kernels and the row-by-row reference yield the same', () => {
  it.each(FAMILIES)('for expressions of %s', (family) => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }).chain((depth) => randomExpression(family, depth)),
        fc.array(randomRow, { maxLength: 20 }),
        (text, rows) => {
          if (isRefused(text)) return;
          compared++;
          expect(byKernels(text, rows), text).toEqual(byReference(text, rows));
        },
      ),
      { numRuns: Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 150) },
    );
    expect(compared).toBeGreaterThan(50);
  });
});
