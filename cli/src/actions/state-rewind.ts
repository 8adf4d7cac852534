import { rewindJob } from '@sluice/core';
import { UsageProblem } from '../arguments/usage-problem.js';
import type { Action } from '../commands/command.js';
import { plural } from '../output/numbers.js';
import { table } from '../output/table.js';
import { placeText } from '../state/place-text.js';
import { withPlanAndState } from '../state/plan-with-state.js';
import { POINTS, readPoint } from '../state/read-point.js';

const RUNS = 10_000;

export const action: Action = (input, output) =>
  withPlanAndState(input.positionals[0]!, input, output, false, async ({ plan, ledger }) => {
    const point = input.text('to');
    if (point === undefined) throw new UsageProblem(`\`sluice state rewind\` needs --to <point>: ${POINTS}`);
    const to = readPoint(point, await ledger.runs(plan.name, RUNS), Date.now());
    const certain = input.flag('yes');
    const repeatRows = input.flag('repeat-rows');
    const flows = await rewindJob({ plan, ledger, to, certain, repeatRows });
    const moves = flows.flatMap(({ flow, moves }) => moves.map((move) => ({ flow, ...move })));
    const { stdout } = output;
    if (output.json) {
      const told = moves.map(({ flow, sink, split, from, to: at }) => {
        const back = at && { epoch: at.epoch, position: at.position, sealed: at.sealed };
        const { epoch, position, sealed } = from;
        return { flow, sink, split, from: { epoch, position, sealed }, ...(back && { to: back }) };
      });
      stdout.json({ job: plan.name, rewound: certain, parts: told });
      return 0;
    }
    const rows = moves.map(({ flow, sink, split, from, to: at }) => [
      `${flow} → ${sink}`,
      split,
      placeText(from),
      placeText(at),
    ]);
    const columns = [{ title: 'flow' }, { title: 'part' }, { title: 'from' }, { title: 'back to' }];
    if (rows.length > 0)
      for (const line of table(columns, rows, stdout.colours, stdout.width)) stdout.line(line);
    const what = `${plural(moves.length, 'part')} of job ${plan.name}`;
    stdout.line(certain ? `set ${what} back` : `would set ${what} back; --yes does it`);
    return 0;
  });
