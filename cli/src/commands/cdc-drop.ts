import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const cdcDrop: CommandSpec = {
  name: 'cdc drop',
  summary: 'Drop the replication slots and publications of a job',
  description:
    'The server then keeps no log for the job any more. What is changed from now on is lost to it: its next run says ' +
    'so and has to copy the tables anew, with --full-refresh. The steps are shown first; on a terminal they have to be ' +
    'confirmed. What the job names itself stays, and a slot that is read is refused, but with --force.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {
    'dry-run': { kind: 'flag', summary: 'Only show what would be dropped' },
    yes: { kind: 'flag', short: 'y', summary: 'Do not ask' },
    force: {
      kind: 'flag',
      summary: 'Also what is being read, whose reader is cut off, and what the job names itself',
    },
    state,
  },
  examples: [
    { command: 'sluice cdc drop shop.json --dry-run', summary: 'What would be dropped' },
    { command: 'sluice cdc drop shop.json --yes', summary: 'Drop it: a disk is filling up' },
  ],
  action: () => import('../actions/cdc-drop.js'),
};
