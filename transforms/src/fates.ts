/**
 * What becomes of changes where a target takes some rows and not others: of the row as it is, and of what the target may
 * have of it.
 */
import {
  type Batch,
  type Column,
  columnBuilder,
  fieldIndex,
  OPS,
  type Op,
  UNCHANGED,
  valueReader,
} from '@sluice/sdk';
import { expressionErrors } from './errors.js';
import { filledColumn } from './inputs.js';
import { NOT_SENT } from './kernels/from-column.js';
import { rowError } from './row-error.js';

/** `enter`: comes whole. `leave`: is deleted by the key that it had. */
export type Fate = 'pass' | 'enter' | 'leave' | 'drop';

/**
 * The fate of a row by whether the target takes it now, and took it before (undefined: not known). What may be there can
 * be deleted by a key alone.
 */
export function fateOf(op: Op, now: boolean, before: boolean | undefined, keyed: boolean): Fate {
  if (op === 'insert') return now ? 'pass' : 'drop';
  if (now) return before === false ? 'enter' : 'pass';
  return keyed && before !== false ? 'leave' : 'drop';
}

/** The batch with what its fates make of it. */
export function settle(batch: Batch, fates: readonly Fate[]): Batch {
  if (fates.every((fate) => fate === 'pass')) return batch;
  const { schema } = batch;
  const kept = Uint32Array.from(fates.keys()).filter((row) => fates[row] !== 'drop');
  const op = Uint8Array.from(kept, (row) => OPS.indexOf(opAfter(fates[row]!, batch.opAt(row))));
  const all = schema.fields.map((_, i) => i);
  if (!fates.some((fate) => fate === 'leave' || fate === 'enter')) {
    return batch.derive(schema, all, kept, { op });
  }
  const key = schema.key.map((name) => fieldIndex(schema, name));
  const columns = all.map((i) => () => settledColumn(batch, i, fates, key.includes(i)));
  return batch.derive(schema, columns).derive(schema, all, kept, { op });
}

function opAfter(fate: Fate, op: Op): Op {
  if (fate === 'leave') return 'delete';
  return fate === 'enter' ? 'upsert' : op;
}

/** A column in which rows that enter are whole, and rows that leave are as they were, as far as that is known. */
function settledColumn(batch: Batch, index: number, fates: readonly Fate[], isKey: boolean): Column {
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
      else if (batch.opAt(row) === 'move')
        throw rowError(expressionErrors.notSent, batch, f.name, row, NOT_SENT);
    }
    builder.append(value);
  }
  return builder.finish();
}
