import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateExport: CommandSpec = {
  name: 'state export',
  summary: 'Print all that the next run of a job goes by, as one JSON document',
  description: 'Positions, generations and identities of systems; no history, no rows and no secret.',
  positionals: [{ name: 'job', summary: 'Job file, or the name of a job' }],
  options: {
    out: { kind: 'text', value: '<file>', summary: 'Write it to a file instead of stdout' },
    state,
  },
  examples: [
    {
      command: 'sluice state export shop.json --out shop-state.json',
      summary: 'Keep it, or take it elsewhere',
    },
  ],
  action: () => import('../actions/state-export.js'),
};
