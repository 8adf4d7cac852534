import { importState } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { plural } from '../output/numbers.js';
import { readJson } from '../state/json-file.js';
import { withPlanAndState } from '../state/plan-with-state.js';

export const action: Action = async (input, output) => {
  const [job, file] = input.positionals;
  const value = await readJson(file!);
  return withPlanAndState(job!, input, output, true, async ({ plan, ledger }) => {
    const { flows, exportedAt } = await importState(ledger, plan, value);
    const streams = Object.values(flows).reduce((sum, flow) => sum + Object.keys(flow.streams).length, 0);
    const { stdout } = output;
    if (output.json) stdout.json({ job: plan.name, streams, exportedAt });
    else stdout.line(`${plural(streams, 'stream')} of job ${plan.name} as of ${exportedAt}`);
    return 0;
  });
};
