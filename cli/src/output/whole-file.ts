/** A file that is written whole or not at all, however often. */
import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { cliErrors } from '../errors.js';

/** Puts `text` in the place of what the file held. Throws `SLUICE-CLI-0002`. */
export type WriteWhole = (text: string) => void;

/**
 * Checks that the file can be written, before the work begins that it is to tell of. Throws `SLUICE-CLI-0002`.
 * @param what what the file is to hold, as messages name it
 */
export function wholeFile(path: string, what: string): WriteWhole {
  const full = resolve(path);
  const unwritable = (cause: unknown) =>
    cliErrors.outputUnwritable(`${what} cannot be written to ${path}: ${(cause as Error).message}`, {
      cause,
    });
  try {
    accessSync(dirname(full), constants.W_OK);
    if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw unwritable(error);
  }
  return (text) => {
    const temporary = `${full}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, text);
      renameSync(temporary, full);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw unwritable(error);
    }
  };
}
