import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const resync: CommandSpec = {
  name: 'resync',
  summary: 'Copy tables once more whose changes are followed',
  description:
    'For streams of mode cdc: their targets are cleared and filled again while the log is followed as before, which ' +
    'is neither stopped nor set back. Streams that are quarantined come back in that way. A run that is under way begins ' +
    'within seconds, else the next one does. With ' +
    '--where only rows for whose key a condition holds are compared with the source, and at once made as they are there: ' +
    'for streams of any mode whose write mode is upsert, while no run of the job is under way.',
  positionals: [
    { name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' },
    { name: 'stream', summary: 'Name or pattern of the streams' },
  ],
  options: {
    where: {
      kind: 'text',
      value: '<condition>',
      summary:
        'Only rows that meet it, as they arrive in the target: an expression like that of the filter transform',
    },
    state,
  },
  examples: [
    { command: 'sluice resync shop.json public.orders', summary: 'Copy one table once more' },
    { command: "sluice resync shop.json 'public.*'", summary: 'Copy all of them' },
    {
      command: "sluice resync shop.json public.orders --where 'id >= 1000 && id < 2000'",
      summary: 'Mend a range of a table',
    },
  ],
  action: () => import('../actions/resync.js'),
};
