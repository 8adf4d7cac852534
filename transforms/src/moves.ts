/** Changes of rows whose key a transform makes: what was an update of the source may be a move in the target. */
import { isDeepStrictEqual } from 'node:util';
import { type Batch, fieldIndex, OPS, type Op, UNCHANGED, type Value, valueReader } from '@sluice/sdk';
import { expressionErrors } from './errors.js';
import { NOT_SENT } from './kernels/from-column.js';
import { rowError } from './row-error.js';

const CODES = Object.fromEntries(OPS.map((op, code) => [op, code])) as { readonly [O in Op]: number };

/**
 * The batch with the ops that its new key asks for: an update that gives a row another key is a move, and a move that
 * does not is an update. `keyAlone` says that the key is made of the input's key columns and of nothing else: then an
 * update without a before-image has changed neither.
 */
export function withMoves(batch: Batch, keyAlone: boolean): Batch {
  const { schema, before, op, rowCount } = batch;
  if (op === 'insert' || op === 'delete') return batch;
  const now = keyReaders(batch);
  const old = before && keyReaders(before);
  const ops = Uint8Array.from({ length: rowCount }, (_, row) => {
    const code = CODES[batch.opAt(row)];
    if (code === CODES.insert || code === CODES.delete) return code;
    const earlier = old?.map((read) => read(row));
    if (earlier === undefined || earlier.includes(UNCHANGED)) {
      if (code === CODES.upsert || (code === CODES.update && keyAlone)) return code;
      throw rowError(expressionErrors.notSent, batch, schema.key.join(', '), row, NOT_SENT);
    }
    if (!earlier.every((value, i) => sameValue(value, now[i]!(row)))) return CODES.move;
    return code === CODES.move ? CODES.update : code;
  });
  if (ops.every((code, row) => code === CODES[batch.opAt(row)])) return batch;
  return batch.derive(
    schema,
    schema.fields.map((_, i) => i),
    undefined,
    { op: ops },
  );
}

function keyReaders(batch: Batch): ((row: number) => Value)[] {
  return batch.schema.key.map((name) => {
    const index = fieldIndex(batch.schema, name);
    return valueReader(batch.schema.fields[index]!.type, batch.column(index));
  });
}

function sameValue(a: Value, b: Value): boolean {
  return a === b || isDeepStrictEqual(a, b);
}
