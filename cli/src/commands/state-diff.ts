import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateDiff: CommandSpec = {
  name: 'state diff',
  summary: 'Show what moved between two points of a job’s history',
  description:
    'A point is a run (its id, or how it begins: the state at its end), a time such as 2026-03-01T12:00Z, start, or now.',
  positionals: [
    { name: 'job', summary: 'Job file, or the name of a job' },
    { name: 'from', summary: 'The earlier point (default start)', optional: true },
    { name: 'to', summary: 'The later point (default now)', optional: true },
  ],
  options: { state },
  examples: [
    { command: 'sluice state diff shop.json 2026-03-01T12:00Z', summary: 'Since then' },
    { command: 'sluice state diff shop.json 5f0c91d2 83ab1c07', summary: 'Between the ends of two runs' },
  ],
  action: () => import('../actions/state-diff.js'),
};
