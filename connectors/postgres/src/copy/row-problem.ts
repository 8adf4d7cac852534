/** A value that an encoder cannot write; which column it is in, only the caller knows. */
import type { ErrorFactory, SluiceError } from '@sluice/sdk';

export class RowProblem extends Error {
  constructor(
    private readonly factory: ErrorFactory,
    /** Row of the batch. */
    private readonly row: number,
    private readonly what: string,
  ) {
    super(what);
  }

  in(column: string): SluiceError {
    const { row } = this;
    return this.factory(`column ${column}, row ${row} of the batch: ${this.what}`, {
      details: { column, row },
    });
  }
}

/** Runs what encodes a column; a problem with a row becomes a coded error that names the column. */
export function inColumn<T>(column: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RowProblem ? error.in(column) : error;
  }
}
