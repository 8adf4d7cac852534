import type { CommandSpec } from './command.js';
import { state, streams } from './shared-options.js';

export const verify: CommandSpec = {
  name: 'verify',
  summary: 'Compare what the source has with what is in the target, and repair what differs',
  description:
    'Every row of both sides is read and compared, through the transforms of the job and by the value of every column. ' +
    'Where changes are followed the run may go on meanwhile: what is on its way is no difference. Exits with 0 where ' +
    'both are equal, or are so now, 4 where they differ, 75 where it cannot be told yet.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {
    streams: { ...streams, summary: 'Compare these streams of the job only; * stands for any characters' },
    sink: { kind: 'text', value: '<sink>', summary: 'Compare with this sink only' },
    repair: {
      kind: 'flag',
      summary: 'Write what differs into targets of write mode upsert, while no run of the job is under way',
    },
    limit: {
      kind: 'count',
      summary: 'Most differences of each stream to print; all are counted (default 20)',
    },
    state,
  },
  examples: [
    { command: 'sluice verify shop.json', summary: 'All streams in all sinks' },
    { command: "sluice verify shop.json --streams 'public.orders' --repair", summary: 'Mend one table' },
    {
      command: 'sluice verify shop.json --json',
      summary: 'A line for each difference and stream, for programs',
    },
  ],
  action: () => import('../actions/verify.js'),
};
