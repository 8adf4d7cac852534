/** Changes in the pieces in which they can be written: rows that go by their key, and rows that move to another one. */
import { type Batch, getBit, OPS } from '@sluice/sdk';
import { pgErrors } from '../errors.js';

const MOVE = OPS.indexOf('move');

export type ChangePart =
  /** Rows of any op but `move`. */
  | { readonly kind: 'rows'; readonly batch: Batch }
  /** One row that moves and does not come whole: what it leaves out it takes along. */
  | { readonly kind: 'move'; readonly batch: Batch };

/**
 * The pieces of a batch, in order. A whole row that moves is its old key deleted, and the row written. Throws
 * `SLUICE-PG-0038` for one that does not say which key it had.
 */
export function* changeParts(batch: Batch): Generator<ChangePart> {
  const moves = movesOf(batch);
  if (moves.length === 0) {
    if (batch.rowCount > 0) yield { kind: 'rows', batch };
    return;
  }
  let from = 0;
  for (const row of moves) {
    if (row > from) yield { kind: 'rows', batch: batch.select(range(from, row)) };
    from = row + 1;
    const one = batch.select(Uint32Array.of(row));
    if (one.before === undefined) {
      throw pgErrors.unsupported(
        `${batch.stream}: a row moves, and the key that it had did not come with it`,
        {
          details: { stream: batch.stream, row },
        },
      );
    }
    if (leavesOut(one)) {
      yield { kind: 'move', batch: one };
      continue;
    }
    yield { kind: 'rows', batch: withOp(one.before, 'delete') };
    yield { kind: 'rows', batch: withOp(one, 'upsert') };
  }
  if (from < batch.rowCount) yield { kind: 'rows', batch: batch.select(range(from, batch.rowCount)) };
}

function movesOf({ op, rowCount }: Batch): number[] {
  if (typeof op === 'string') return op === 'move' ? [...range(0, rowCount)] : [];
  const moves: number[] = [];
  for (let row = 0; row < rowCount; row++) if (op[row] === MOVE) moves.push(row);
  return moves;
}

function leavesOut(one: Batch): boolean {
  return one.columns().some(({ absent }) => absent !== undefined && getBit(absent, 0));
}

function withOp(batch: Batch, op: 'delete' | 'upsert'): Batch {
  return batch.derive(
    batch.schema,
    batch.schema.fields.map((_, i) => i),
    undefined,
    { op },
  );
}

function range(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}
