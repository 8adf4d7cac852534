/** From DuckDB's messages to coded errors. Its C interface gives an error's kind as the message's first words. */
import { isSluiceError, type SluiceError, toSluiceError } from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';

type Make = (message: string, cause: unknown) => SluiceError;

const make =
  (factory: (message: string, options: { cause: unknown }) => SluiceError): Make =>
  (message, cause) =>
    factory(message, { cause });

/** What a failed statement means; the first that matches counts. */
const KINDS: readonly (readonly [RegExp, Make])[] = [
  [
    /^(IO|TransactionContext) Error: .*(no space left|disk full|input\/output error)/is,
    make(duckdbErrors.diskFull),
  ],
  [/^Out of Memory Error/i, make(duckdbErrors.outOfMemory)],
  [/could not allocate block|failed to offload data block/i, make(duckdbErrors.outOfMemory)],
  [/^TransactionContext Error|^Transaction Error|write-write conflict/i, make(duckdbErrors.conflict)],
  [/^IO Error: .*(corrupt|checksum|not a valid DuckDB)/is, make(duckdbErrors.notADatabase)],
  [/^(Constraint|Conversion|Invalid Input|Out of Range|Mismatch Type) Error/i, make(duckdbErrors.rowRefused)],
  [/^(Catalog|Binder|Dependency) Error/i, make(duckdbErrors.drifted)],
];

/** The coded error of a statement that failed; coded ones pass through. `what` was being done. */
export function statementFailed(error: unknown, what: string): SluiceError {
  if (isSluiceError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const first = message.split('\n')[0]!.slice(0, 500);
  const kind = KINDS.find(([pattern]) => pattern.test(message));
  return kind ? kind[1](`${what}: ${first}`, error) : toSluiceError(error);
}

/** The coded error of a database that could not be opened. */
export function openFailed(error: unknown, path: string): SluiceError {
  if (isSluiceError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const holder = /held in (.*?)(?: \(PID (\d+)\))?(?: by user .*?)?\. /.exec(message);
  if (/could not set lock on file/i.test(message)) {
    const who = holder ? `${holder[1]}${holder[2] ? ` (process ${holder[2]})` : ''}` : 'another process';
    return duckdbErrors.locked(`${path} is open in ${who}`, { cause: error, details: { path, holder: who } });
  }
  if (/replaying WAL/i.test(message)) {
    return duckdbErrors.needsRecovery(`${path} was left by a process that died`, {
      cause: error,
      details: { path },
    });
  }
  if (/not a valid DuckDB|corrupt|checksum|serialization error|version number/i.test(message)) {
    return duckdbErrors.notADatabase(`${path}: ${message.split('\n')[0]}`, {
      cause: error,
      details: { path },
    });
  }
  return duckdbErrors.unreachable(`${path}: ${message.split('\n')[0]}`, { cause: error, details: { path } });
}
