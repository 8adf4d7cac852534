import { replayLetters } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { letterFilterOf } from '../dead-letters/letter-filter.js';
import { plural } from '../output/numbers.js';
import { withPlanAndState } from '../state/plan-with-state.js';

/** The class of data has this exit code: rows are still refused. */
const STILL_REFUSED = 5;

export const action: Action = (input, output) =>
  withPlanAndState(input.positionals[0]!, input, output, false, async ({ plan, ledger }) => {
    const { kept, refused, left } = await replayLetters({ plan, ledger, filter: letterFilterOf(input) });
    const { stdout } = output;
    if (output.json) stdout.json({ job: plan.name, kept, refused, left });
    else {
      stdout.line(`${plural(kept, 'dead letter')} of job ${plan.name} written`);
      if (refused > 0) stdout.line(`${plural(refused, 'letter')} refused again`);
      for (const { reason, letters } of left) stdout.line(`${plural(letters, 'letter')} left: ${reason}`);
    }
    return refused > 0 ? STILL_REFUSED : 0;
  });
