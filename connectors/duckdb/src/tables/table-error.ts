/** Which failures of a statement belong to the one table that it writes, and not to the file, the disk or the memory. */
import { isSluiceError, streamError } from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';

const OF_TABLES: ReadonlySet<string> = new Set(
  [
    duckdbErrors.rowRefused,
    duckdbErrors.specialRefused,
    duckdbErrors.rowMissing,
    duckdbErrors.nameRefused,
    duckdbErrors.noPlace,
    duckdbErrors.tableMissing,
    duckdbErrors.tableExists,
    duckdbErrors.tableDiffers,
    duckdbErrors.keyMissing,
    duckdbErrors.cannotClear,
    duckdbErrors.drifted,
  ].map(({ entry }) => entry.code),
);

/** The error of a statement on the stream's table, as one of the stream's where it is. */
export function tableError(error: unknown, stream: string): unknown {
  return isSluiceError(error) && OF_TABLES.has(error.code) ? streamError(error, stream) : error;
}

/** What is done on the stream's table; it fails as {@link tableError} says. */
export function onTable<T>(stream: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw tableError(error, stream);
  });
}
