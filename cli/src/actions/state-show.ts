import type { Ledger } from '@sluice/core';
import type { Action } from '../commands/command.js';
import type { Output } from '../output/output.js';
import { table } from '../output/table.js';
import { describeState } from '../state/describe-state.js';
import { findState } from '../state/find-state.js';
import { stateLines } from '../state/state-lines.js';

export const action: Action = async (input, output) => {
  const { ledger, name, job } = await findState(input, output, true);
  try {
    if (name === undefined) return await listJobs(ledger, output);
    const state = await describeState(ledger, name, job?.flows.map((flow) => flow.name) ?? []);
    const { stdout } = output;
    if (output.json) stdout.json(state);
    else for (const line of stateLines(state, stdout.colours, stdout.width)) stdout.line(line);
    return 0;
  } finally {
    await ledger.close();
  }
};

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
