/** Errors of single rows of a batch. */
import type { Batch, ErrorFactory, SluiceError } from '@sluice/sdk';

/** An error that names the stream, the column and the row's place in the batch (from 0). */
export function rowError(
  factory: ErrorFactory,
  batch: Batch,
  column: string | undefined,
  row: number,
  reason: string,
): SluiceError {
  const where = column === undefined ? '' : `, column ${column}`;
  return factory(`${batch.stream}${where}, row ${row} of a batch: ${reason}`, {
    details: { stream: batch.stream, row, ...(column !== undefined && { column }) },
  });
}
