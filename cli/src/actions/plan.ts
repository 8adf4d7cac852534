import type { Action } from '../commands/command.js';
import { makePlan } from '../job/make-plan.js';
import { openJob } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';
import { describePlan } from '../plan/describe-plan.js';
import { mermaidLines } from '../plan/mermaid-lines.js';
import { planLines } from '../plan/plan-lines.js';
import { withKnownState } from '../state/known-state.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const open = await openJob(input.positionals[0]!, output);
  const log = await commandLogger(output);
  const planned = await withKnownState(open.job, input, (state) =>
    makePlan(open, { streams: input.list('streams'), fresh: [], ...(state && { state }) }, log),
  );
  const plan = describePlan(planned, open.job);
  await planned.close();
  if (output.json || input.text('format') === 'json') {
    stdout.json(plan);
  } else {
    const drawn = input.text('format') === 'mermaid';
    const shown = drawn ? mermaidLines(plan) : planLines(plan, stdout.colours, stdout.width);
    await stdout.lines(shown);
  }
  return 0;
};
