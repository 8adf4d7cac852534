import { forkState } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { plural } from '../output/numbers.js';
import { withPlanAndState } from '../state/plan-with-state.js';

export const action: Action = (input, output) => {
  const [from, job] = input.positionals;
  return withPlanAndState(job!, input, output, false, async ({ plan, ledger }) => {
    const streams = await forkState(ledger, from!, plan);
    const { stdout } = output;
    if (output.json) stdout.json({ from, job: plan.name, streams });
    else stdout.line(`${plural(streams.length, 'stream')} of job ${plan.name} go on where ${from} is`);
    return 0;
  });
};
