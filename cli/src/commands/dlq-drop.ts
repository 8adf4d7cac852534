import type { CommandSpec } from './command.js';
import { letterFilter, state } from './shared-options.js';

export const dlqDrop: CommandSpec = {
  name: 'dlq drop',
  summary: 'Drop dead letters: the rows are given up',
  positionals: [{ name: 'job', summary: 'Job file, or the name of a job', completion: 'job' }],
  options: {
    ...letterFilter,
    yes: { kind: 'flag', summary: 'Do it; without this the command only says how many there are' },
    state,
  },
  examples: [
    { command: 'sluice dlq drop shop.json', summary: 'How many would be dropped' },
    { command: 'sluice dlq drop shop.json --stream public.orders --yes', summary: 'Drop those of a stream' },
  ],
  action: () => import('../actions/dlq-drop.js'),
};
