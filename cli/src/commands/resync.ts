import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const resync: CommandSpec = {
  name: 'resync',
  summary: 'Copy tables once more whose changes are followed',
  description:
    'For streams of mode cdc: their targets are cleared and filled again while the log is followed as before, which ' +
    'is neither stopped nor set back. A run that is under way begins within seconds, else the next one does.',
  positionals: [
    { name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' },
    { name: 'stream', summary: 'Name or pattern of the streams' },
  ],
  options: { state },
  examples: [
    { command: 'sluice resync shop.json public.orders', summary: 'Copy one table once more' },
    { command: "sluice resync shop.json 'public.*'", summary: 'Copy all of them' },
  ],
  action: () => import('../actions/resync.js'),
};
