/** `--result-file`: the result of a run as JSON, written whole or not at all. */
import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RunResult } from '@sluice/core';
import { cliErrors } from '../errors.js';
import type { Output } from '../output/output.js';
import { toJson } from '../output/to-json.js';

/** Writes the result once there is one. */
export type ResultWriter = (result: RunResult, output: Output) => Promise<void>;

/** Checks that the file can be written before anything runs. Throws `SLUICE-CLI-0002`. */
export function prepareResultFile(option: string | undefined): ResultWriter {
  if (option === undefined) return async () => {};
  const path = resolve(option);
  try {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw unwritable(option, error);
  }
  return async (result, output) => {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${toJson(result, output.stdout.redact, 2)}\n`);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw unwritable(option, error);
    }
  };
}

function unwritable(path: string, error: unknown): Error {
  return cliErrors.outputUnwritable(`the result cannot be written to ${path}: ${(error as Error).message}`, {
    cause: error,
  });
}
