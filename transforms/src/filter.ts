/**
 * `filter`: keeps the rows for which a condition is true; a null never matches.
 *
 * Of changes it keeps what the target needs: a row that stops matching becomes a delete by its key, a row that
 * comes to match arrives whole, and deletes always pass, because whether the row was ever there may be unknown.
 */
import {
  type Batch,
  type Column,
  columnBuilder,
  defineTransform,
  fieldIndex,
  getBit,
  OPS,
  UNCHANGED,
  valueReader,
} from '@sluice/sdk';
import { z } from 'zod';
import { expressionErrors } from './errors.js';
import { compileCondition, type Expression } from './expression/expression.js';
import { filledColumn, inputsOf } from './inputs.js';
import { NOT_SENT } from './kernels/from-column.js';
import { expectKind, hasValue, type Vector } from './kernels/vector.js';
import { rowError } from './row-error.js';

const [INSERT, , DELETE, UPSERT, MOVE] = OPS.map((_, code) => code) as [
  number,
  number,
  number,
  number,
  number,
];

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
    const key = schema.key.map((name) => fieldIndex(schema, name));
    return {
      out: schema,
      reads,
      writes: [],
      needs: { after: reads },
      rung: 'columns',
      apply: (batch) => [
        batch.op === 'insert' ? filterInserts(batch, condition) : filterChanges(batch, condition, key),
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
  const reason = errors.get(first)!;
  const factory = reason === NOT_SENT ? expressionErrors.notSent : expressionErrors.evaluation;
  throw rowError(factory, batch, undefined, first, `the condition has no result: ${reason}`);
}

/** What becomes of a change. */
type Fate = 'pass' | 'enter' | 'leave' | 'drop';

function filterChanges(batch: Batch, condition: Expression, key: readonly number[]): Batch {
  if (batch.op === 'delete') return batch;
  const codes =
    typeof batch.op === 'string' ? new Uint8Array(batch.rowCount).fill(OPS.indexOf(batch.op)) : batch.op;
  const now = condition.evaluate(inputsOf(batch));
  throwFirstError(batch, now, (row) => codes[row] !== DELETE);
  const before = batch.before && condition.evaluate(inputsOf(batch.before));
  const fates = Array.from(codes, (code, row) =>
    fateOf(code, holds(now, row), before && holds(before, row), key.length > 0),
  );
  return settle(batch, codes, fates, key);
}

/** True or false as far as it is known: not for a row in error. */
function holds(matches: Vector, row: number): boolean | undefined {
  if (matches.errors?.has(row)) return undefined;
  return hasValue(matches, row) && getBit(expectKind(matches, 'bits').values, row);
}

function fateOf(code: number, now: boolean | undefined, before: boolean | undefined, keyed: boolean): Fate {
  if (code === DELETE) return 'pass';
  const mayBeThere = code !== INSERT && keyed && before !== false;
  if (now !== true) return mayBeThere ? 'leave' : 'drop';
  return code !== INSERT && before === false ? 'enter' : 'pass';
}

function settle(batch: Batch, codes: Uint8Array, fates: readonly Fate[], key: readonly number[]): Batch {
  if (fates.every((fate) => fate === 'pass')) return batch;
  const { schema } = batch;
  const kept = Uint32Array.from(fates.keys()).filter((row) => fates[row] !== 'drop');
  const op = Uint8Array.from(kept, (row) => opAfter(fates[row]!, codes[row]!));
  const all = schema.fields.map((_, i) => i);
  if (!fates.some((fate) => fate === 'leave' || fate === 'enter')) {
    return batch.derive(schema, all, kept, { op });
  }
  const columns = all.map((i) => () => settledColumn(batch, i, codes, fates, key.includes(i)));
  return batch.derive(schema, columns).derive(schema, all, kept, { op });
}

function opAfter(fate: Fate, code: number): number {
  if (fate === 'leave') return DELETE;
  return fate === 'enter' ? UPSERT : code;
}

/** A column in which rows that enter are whole, and rows that leave are as they were, as far as that is known. */
function settledColumn(
  batch: Batch,
  index: number,
  codes: Uint8Array,
  fates: readonly Fate[],
  isKey: boolean,
): Column {
  const f = batch.schema.fields[index]!;
  const now = valueReader(f.type, batch.column(index));
  const whole = valueReader(f.type, filledColumn(batch, index));
  const old = batch.before && valueReader(f.type, batch.before.column(index));
  const builder = columnBuilder({ ...f, nullable: true }, batch.rowCount);
  for (const [row, fate] of fates.entries()) {
    let value = fate === 'enter' ? whole(row) : now(row);
    if (fate === 'leave') {
      const earlier = old === undefined ? UNCHANGED : old(row);
      if (earlier !== UNCHANGED || !isKey) value = earlier;
      else if (codes[row] === MOVE) throw rowError(expressionErrors.notSent, batch, f.name, row, NOT_SENT);
    }
    builder.append(value);
  }
  return builder.finish();
}
