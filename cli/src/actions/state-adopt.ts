import { adoptState } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { withPlanAndState } from '../state/plan-with-state.js';

export const action: Action = (input, output) =>
  withPlanAndState(input.positionals[0]!, input, output, true, async ({ plan, ledger }) => {
    const { stdout } = output;
    const flows = await adoptState(ledger, plan);
    if (output.json) {
      stdout.json({ job: plan.name, flows });
      return 0;
    }
    for (const { flow, identities, restored } of flows) {
      for (const { of, from, to } of identities)
        stdout.line(`flow ${flow}, ${of}: ${to} in place of ${from}`);
      for (const sink of restored) stdout.line(`flow ${flow}, sink ${sink}: has its record back`);
    }
    stdout.line(`ledger and sinks of job ${plan.name} agree`);
    return 0;
  });
