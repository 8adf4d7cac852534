/**
 * `filter`: keeps the rows for which a condition is true; a null never matches.
 *
 * Of changes it keeps what the target needs: a row that stops matching becomes a delete by its key, a row that
 * comes to match arrives whole, and deletes always pass, because whether the row was ever there may be unknown.
 */
import { type Batch, defineTransform } from '@sluice/sdk';
import { z } from 'zod';
import { holds, noResult } from './condition.js';
import { expressionErrors } from './errors.js';
import { compileCondition, type Expression } from './expression/expression.js';
import { type Fate, fateOf, settle } from './fates.js';
import { inputsOf } from './inputs.js';
import { expectKind, type Vector } from './kernels/vector.js';

export const filterTransform = defineTransform({
  name: 'filter',
  title: 'Keeps the rows that match a condition',
  options: z.strictObject({
    where: z.string().min(1).describe('The condition, in CEL: `total > 0 && status in ["open", "paid"]`.'),
  }),
  errors: expressionErrors,
  bind(schema, { where }) {
    const condition = compileCondition(where, schema);
    const reads = condition.reads.map((i) => schema.fields[i]!.name);
    return {
      out: schema,
      reads,
      writes: [],
      needs: { after: reads },
      rung: 'columns',
      apply: (batch) => [
        batch.op === 'insert' ? filterInserts(batch, condition) : filterChanges(batch, condition),
      ],
    };
  },
});

/** Rows that are new: those that match. */
function filterInserts(batch: Batch, condition: Expression): Batch {
  const matches = condition.evaluate(inputsOf(batch));
  throwFirstError(batch, matches, () => true);
  const selection = selectionOf(matches, batch.rowCount);
  return selection.length === batch.rowCount ? batch : batch.select(selection);
}

/** The rows in which a condition is true. Whole bytes of the bitmaps are looked at first. */
function selectionOf(matches: Vector, rows: number): Uint32Array {
  const { values } = expectKind(matches, 'bits');
  const { validity } = matches;
  const selection = new Uint32Array(rows);
  let count = 0;
  for (let byte = 0; byte << 3 < rows; byte++) {
    let bits = validity ? values[byte]! & validity[byte]! : values[byte]!;
    const left = rows - (byte << 3);
    if (left < 8) bits &= (1 << left) - 1;
    for (let row = byte << 3; bits !== 0; row++, bits >>= 1) if (bits & 1) selection[count++] = row;
  }
  return selection.subarray(0, count);
}

function throwFirstError(batch: Batch, { errors }: Vector, matters: (row: number) => boolean): void {
  if (errors === undefined) return;
  let first = Infinity;
  for (const row of errors.keys()) if (row < first && matters(row)) first = row;
  if (first === Infinity) return;
  throw noResult(batch, first, errors.get(first)!);
}

function filterChanges(batch: Batch, condition: Expression): Batch {
  if (batch.op === 'delete') return batch;
  const now = condition.evaluate(inputsOf(batch));
  throwFirstError(batch, now, (row) => batch.opAt(row) !== 'delete');
  const before = batch.before && condition.evaluate(inputsOf(batch.before));
  const keyed = batch.schema.key.length > 0;
  const fates = Array.from({ length: batch.rowCount }, (_, row): Fate => {
    const op = batch.opAt(row);
    if (op === 'delete') return 'pass';
    return fateOf(op, holds(now, row) === true, before && holds(before, row), keyed);
  });
  return settle(batch, fates);
}
