import type { CommandSpec } from './command.js';

export const check: CommandSpec = {
  name: 'check',
  summary: 'Try every connection of a job, and say what is missing',
  description: 'Reads the job, reaches both sides with its credentials and changes nothing.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {},
  examples: [
    { command: 'sluice check shop.json', summary: 'Before the first run, or when it fails at night' },
    { command: 'sluice check shop.json --json', summary: 'The same as data' },
  ],
  action: () => import('../actions/check.js'),
};
