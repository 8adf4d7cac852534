import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const clean: CommandSpec = {
  name: 'clean',
  summary: 'Remove what a job has left in its sinks beside the rows',
  description:
    'Records of positions, staging tables, hidden folders: whatever a sink keeps under the name of the job. Rows that ' +
    'were written stay where they are, and what several jobs share stays until the last of them is cleaned. The ' +
    'steps are shown first; on a terminal they have to be confirmed. Neither source nor target tables need to be there ' +
    'any more. A job that is to run again afterwards begins anew: clean it with --ledger.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {
    'dry-run': { kind: 'flag', summary: 'Only show what would be removed' },
    yes: { kind: 'flag', short: 'y', summary: 'Do not ask' },
    ledger: { kind: 'flag', summary: 'Forget in the ledger, too, how far the job has come' },
    state,
  },
  examples: [
    { command: 'sluice clean shop.json --dry-run', summary: 'What would be removed' },
    { command: 'sluice clean shop.json --ledger --yes', summary: 'Remove it, as if the job had never run' },
  ],
  action: () => import('../actions/clean.js'),
};
