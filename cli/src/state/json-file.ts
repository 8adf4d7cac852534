/** JSON documents that commands read and write. */
import { readFile, writeFile } from 'node:fs/promises';
import { cliErrors } from '../errors.js';

/** Throws `SLUICE-CLI-0002`. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    throw cliErrors.outputUnwritable(`${path} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Throws `SLUICE-CLI-0003` for a file that cannot be read or is no JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    throw cliErrors.nothingThere(`${path} cannot be read as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
