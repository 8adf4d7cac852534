/** Where the ledger lies: as `--state` says, else beside the job. */
import { resolve } from 'node:path';
import { DEFAULT_LEDGER_PATH } from '@sluice/core';

export function statePath(option: string | undefined, jobFolder: string): string {
  return option === undefined ? resolve(jobFolder, DEFAULT_LEDGER_PATH) : resolve(option);
}
