/** `--result-file`: the result of a run as JSON. */
import type { RunResult } from '@sluice/core';
import type { Output } from '../output/output.js';
import { toJson } from '../output/to-json.js';
import { wholeFile } from '../output/whole-file.js';

/** Writes the result once there is one. */
export type ResultWriter = (result: RunResult, output: Output) => Promise<void>;

/** Checks that the file can be written before anything runs. Throws `SLUICE-CLI-0002`. */
export function prepareResultFile(option: string | undefined): ResultWriter {
  if (option === undefined) return async () => {};
  const write = wholeFile(option, 'the result');
  return async (result, output) => write(`${toJson(result, output.stdout.redact, 2)}\n`);
}
