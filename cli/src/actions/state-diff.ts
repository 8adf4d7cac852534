import { type PlaceChange, placesBetween } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { formatCount, plural } from '../output/numbers.js';
import { table } from '../output/table.js';
import { findState } from '../state/find-state.js';
import { placeText } from '../state/place-text.js';
import { readPoint } from '../state/read-point.js';

const RUNS = 10_000;

export const action: Action = async (input, output) => {
  const { ledger, name = '' } = await findState(input, output, true);
  try {
    const runs = await ledger.runs(name, RUNS);
    const now = Date.now();
    const [, earlier = 'start', later = 'now'] = input.positionals;
    const [from, to] = [readPoint(earlier, runs, now), readPoint(later, runs, now)];
    const changes: ({ readonly flow: string } & PlaceChange)[] = [];
    for (const flow of await ledger.flows(name)) {
      const history = await ledger.epochs({ job: name, flow }, Number.MAX_SAFE_INTEGER);
      for (const change of placesBetween(history, from, to)) changes.push({ flow, ...change });
    }
    const { stdout } = output;
    if (output.json) {
      const place = (row: (typeof changes)[number]['to']) =>
        row && { generation: row.generation, epoch: row.epoch, position: row.position, sealed: row.sealed };
      const parts = changes.map((c) => ({ ...c, from: place(c.from), to: place(c.to) }));
      stdout.json({ job: name, from, to, parts });
      return 0;
    }
    const rows = changes.map(({ flow, sink, split, from: before, to: after, rows: count }) => [
      `${flow} → ${sink}`,
      split,
      placeText(before),
      placeText(after),
      formatCount(count),
    ]);
    const columns = [
      { title: 'flow' },
      { title: 'part' },
      { title: earlier },
      { title: later },
      { title: 'rows', align: 'right' as const },
    ];
    if (rows.length > 0)
      for (const line of table(columns, rows, stdout.colours, stdout.width)) stdout.line(line);
    else stdout.line(`nothing of job ${name} is different`);
    if (rows.length > 0) stdout.line(`${plural(rows.length, 'part')} of job ${name} moved`);
    return 0;
  } finally {
    await ledger.close();
  }
};
