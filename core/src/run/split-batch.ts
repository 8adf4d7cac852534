/** Cutting a batch up in search of the row that an error speaks of. */
import type { Batch, SluiceError } from '@sluice/sdk';

export interface Part {
  readonly part: Batch;
  /** The part's first row in the batch. */
  readonly from: number;
}

/** A batch of several rows in two halves or, where the error names a row, in that row and what is around it. */
export function splitAround(batch: Batch, error: SluiceError): Part[] {
  const { rowCount } = batch;
  const row = error.details['row'];
  const named = typeof row === 'number' && Number.isInteger(row) && row >= 0 && row < rowCount;
  const cuts = named ? [0, row, row + 1, rowCount] : [0, rowCount >> 1, rowCount];
  const parts: Part[] = [];
  for (let i = 1; i < cuts.length; i++) {
    const [from, to] = [cuts[i - 1]!, cuts[i]!];
    if (to > from) parts.push({ part: rowsBetween(batch, from, to), from });
  }
  return parts;
}

function rowsBetween(batch: Batch, from: number, to: number): Batch {
  return batch.select(Uint32Array.from({ length: to - from }, (_, i) => from + i));
}
