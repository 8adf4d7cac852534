/** A job's plan together with its ledger, for commands that change state: they meet the systems themselves. */
import { existsSync } from 'node:fs';
import { type JobPlan, type Ledger, openSqliteLedger } from '@sluice/core';
import type { CommandInput } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { makePlan } from '../job/make-plan.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import { commandLogger } from '../output/command-logger.js';
import type { Output } from '../output/output.js';

export interface PlanWithState {
  readonly plan: JobPlan;
  readonly ledger: Ledger;
}

/** Does the work and closes both. With `create` a ledger that is missing begins empty. */
export async function withPlanAndState<T>(
  jobFile: string,
  input: CommandInput,
  output: Output,
  create: boolean,
  work: (found: PlanWithState) => Promise<T>,
): Promise<T> {
  const open = await openJob(jobFile, output);
  const path = statePath(input.text('state'), open.job.cwd);
  if (!create && !existsSync(path)) {
    const help = 'State appears with the first run, beside its job; `--state` names another place.';
    throw cliErrors.nothingThere(`there is no state at ${path}`, { help });
  }
  const log = await commandLogger(output);
  const plan = await makePlan(open, { streams: input.list('streams'), fresh: [] }, log);
  try {
    const ledger = await openSqliteLedger(path);
    try {
      return await work({ plan, ledger });
    } finally {
      await ledger.close();
    }
  } finally {
    await plan.close();
  }
}
