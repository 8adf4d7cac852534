import type { CommandSpec } from './command.js';
import { letterFilter, state } from './shared-options.js';

export const dlqReplay: CommandSpec = {
  name: 'dlq replay',
  summary: 'Write dead letters once more, now that their cause is mended',
  description:
    'Each goes on from where it was refused, through the transforms as the job has them now, into its sink, and is ' +
    'dropped once it is there. What is refused again stays. Rows that could not be read are corrected in the source; ' +
    'for write modes that make their target anew, running the job is the replay.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module' }],
  options: { ...letterFilter, state },
  examples: [
    { command: 'sluice dlq replay shop.json', summary: 'All of them' },
    { command: 'sluice dlq replay shop.json --stream public.orders', summary: 'Those of a stream' },
  ],
  action: () => import('../actions/dlq-replay.js'),
};
