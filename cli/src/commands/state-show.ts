import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateShow: CommandSpec = {
  name: 'state show',
  summary: 'Show how far a job has come: runs, streams, positions',
  positionals: [
    { name: 'job', summary: 'Job file, or the name of a job', optional: true, completion: 'job' },
  ],
  options: { state },
  examples: [
    { command: 'sluice state show', summary: 'Jobs that have state here' },
    { command: 'sluice state show shop.json', summary: 'One of them' },
    { command: "sluice state show shop --json | jq '.runs[0].status'", summary: 'How the last run ended' },
  ],
  action: () => import('../actions/state-show.js'),
};
