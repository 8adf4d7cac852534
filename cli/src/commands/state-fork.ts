import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateFork: CommandSpec = {
  name: 'state fork',
  summary: 'Let a job that has never run go on where another one is',
  description:
    'For a job under a new name, or over a copy of the target: what the other job has written counts as written. Its ' +
    'source must be the same. A full copy that is under way is not taken along. The other job keeps its state.',
  positionals: [
    { name: 'from', summary: 'Name of the job whose state is taken' },
    { name: 'job', summary: 'Job file of the one that gets it' },
  ],
  options: { state },
  examples: [{ command: 'sluice state fork shop shop-eu.json', summary: 'shop-eu goes on where shop is' }],
  action: () => import('../actions/state-fork.js'),
};
