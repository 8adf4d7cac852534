import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Ledger, openSqliteLedger } from '@sluice/core';
import { nearestName } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { isJobFile } from '../job/job-or-location.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import type { Output } from '../output/output.js';
import { table } from '../output/table.js';
import { describeState } from '../state/describe-state.js';
import { stateLines } from '../state/state-lines.js';

export const action: Action = async (input, output) => {
  const [what] = input.positionals;
  const job = what !== undefined && isJobFile(what) ? (await openJob(what, output)).job : undefined;
  const path = statePath(input.text('state'), job?.cwd ?? resolve());
  if (!existsSync(path)) {
    const help = 'State appears with the first run, beside its job; `--state` names another place.';
    throw cliErrors.nothingThere(`there is no state at ${path}`, { help });
  }
  const ledger = await openSqliteLedger(path, { readOnly: true });
  try {
    if (what === undefined) return await listJobs(ledger, output);
    const name = job?.name ?? what;
    await requireJob(ledger, name);
    const state = await describeState(ledger, name, job?.flows.map((flow) => flow.name) ?? []);
    const { stdout } = output;
    if (output.json) stdout.json(state);
    else for (const line of stateLines(state, stdout.colours, stdout.width)) stdout.line(line);
    return 0;
  } finally {
    await ledger.close();
  }
};

async function requireJob(ledger: Ledger, name: string): Promise<void> {
  const jobs = await ledger.jobs();
  if (jobs.includes(name)) return;
  const near = nearestName(name, jobs);
  const hint =
    near === undefined ? `; there is state of ${jobs.join(', ') || 'no job'}` : `; did you mean "${near}"?`;
  throw cliErrors.nothingThere(`there is no state of job "${name}"${hint}`);
}

async function listJobs(ledger: Ledger, { json, stdout }: Output): Promise<number> {
  const jobs = [];
  for (const job of await ledger.jobs()) {
    const [last] = await ledger.runs(job, 1);
    const held = (await ledger.lease(job)) !== undefined;
    jobs.push({ job, held, ...(last && { status: last.status, startedAt: last.startedAt }) });
  }
  if (json) {
    stdout.json({ jobs });
    return 0;
  }
  const rows = jobs.map(({ job, held, status = '', startedAt }) => [
    job,
    startedAt === undefined ? '' : new Date(startedAt).toISOString(),
    held ? 'under way' : status,
  ]);
  const columns = [{ title: 'job' }, { title: 'last run' }, { title: 'ended' }];
  for (const line of table(columns, rows, stdout.colours, stdout.width)) stdout.line(line);
  return 0;
}
