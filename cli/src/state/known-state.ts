/** The ledger of a job for commands that only look: what they show is that of the next run. */
import { existsSync } from 'node:fs';
import { type Job, type Ledger, openSqliteLedger } from '@sluice/core';
import type { CommandInput } from '../commands/command.js';
import { statePath } from '../job/state-path.js';

/** Does the work with the ledger, or without one where the job has not run yet. */
export async function withKnownState<T>(
  { cwd }: Job,
  input: CommandInput,
  work: (state: Ledger | undefined) => Promise<T>,
): Promise<T> {
  const path = statePath(input.text('state'), cwd);
  if (!existsSync(path)) return work(undefined);
  const ledger = await openSqliteLedger(path, { readOnly: true });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}
