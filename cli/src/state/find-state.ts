/** The ledger and the job that a command about state means. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Job, type Ledger, openSqliteLedger } from '@sluice/core';
import { nearestName } from '@sluice/sdk';
import type { CommandInput } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { isJobFile } from '../job/job-or-location.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import type { Output } from '../output/output.js';

export interface FoundState {
  readonly ledger: Ledger;
  /** The job's name; undefined where none was asked for. */
  readonly name: string | undefined;
  readonly job: Job | undefined;
}

/** Opens the ledger beside the job, or where `--state` says. Throws `SLUICE-CLI-0003` where there is nothing. */
export async function findState(input: CommandInput, output: Output, readOnly: boolean): Promise<FoundState> {
  const [what] = input.positionals;
  const job = what !== undefined && isJobFile(what) ? (await openJob(what, output)).job : undefined;
  const path = statePath(input.text('state'), job?.cwd ?? resolve());
  if (!existsSync(path)) {
    const help = 'State appears with the first run, beside its job; `--state` names another place.';
    throw cliErrors.nothingThere(`there is no state at ${path}`, { help });
  }
  const ledger = await openSqliteLedger(path, { readOnly });
  const name = job?.name ?? what;
  try {
    if (name !== undefined) await requireJob(ledger, name);
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return { ledger, name, job };
}

async function requireJob(ledger: Ledger, name: string): Promise<void> {
  const jobs = await ledger.jobs();
  if (jobs.includes(name)) return;
  const near = nearestName(name, jobs);
  const hint =
    near === undefined ? `; there is state of ${jobs.join(', ') || 'no job'}` : `; did you mean "${near}"?`;
  throw cliErrors.nothingThere(`there is no state of job "${name}"${hint}`);
}
