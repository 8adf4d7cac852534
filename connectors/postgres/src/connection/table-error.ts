/**
 * Which failures of a statement belong to the one table that it reads or writes: what the server says of that table, its
 * rows and the rights on it. What it says of itself, of the database or of a connection belongs to no table, whichever
 * was under way.
 */
import { isSluiceError, streamError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';

const OF_TABLES: ReadonlySet<string> = new Set(
  [
    pgErrors.permission,
    pgErrors.uniqueViolation,
    pgErrors.constraintViolation,
    pgErrors.valueRefused,
    pgErrors.missing,
    pgErrors.schemaDrift,
    pgErrors.badName,
    pgErrors.columnMismatch,
    pgErrors.keyMissing,
    pgErrors.targetExists,
    pgErrors.targetMissing,
    pgErrors.specialRefused,
    pgErrors.zeroCharacter,
    pgErrors.unsupported,
    pgErrors.rowsHidden,
    pgErrors.readFailed,
  ].map(({ entry }) => entry.code),
);

/** States of the server's own: its files are damaged, its configuration is wrong, it has found a defect in itself. */
const OF_SERVERS = /^(?:XX|F0)/;

/** The error of a statement on the stream's table, as one of the stream's where it is. */
export function tableError(error: unknown, stream: string): unknown {
  if (!isSluiceError(error)) return error;
  const { code, details } = error;
  const state = details['sqlstate'];
  const unknownState =
    code === pgErrors.statementFailed.entry.code && typeof state === 'string' && !OF_SERVERS.test(state);
  return OF_TABLES.has(code) || unknownState ? streamError(error, stream) : error;
}

/** What is done on the stream's table; it fails as {@link tableError} says. */
export function onTable<T>(stream: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw tableError(error, stream);
  });
}
