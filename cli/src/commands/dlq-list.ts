import type { CommandSpec } from './command.js';
import { letterFilter, state } from './shared-options.js';

export const dlqList: CommandSpec = {
  name: 'dlq list',
  summary: 'List rows that were rejected and are kept as dead letters',
  positionals: [{ name: 'job', summary: 'Job file, or the name of a job', completion: 'job' }],
  options: {
    ...letterFilter,
    limit: { kind: 'count', summary: 'Most letters to list, oldest first (default 50)' },
    state,
  },
  examples: [
    { command: 'sluice dlq list shop.json', summary: 'What was rejected, and why' },
    {
      command: "sluice dlq list shop.json --json | jq '.letters[].payload'",
      summary: 'The rows themselves, for programs',
    },
  ],
  action: () => import('../actions/dlq-list.js'),
};
