import type { CommandSpec } from './command.js';
import { state, streams } from './shared-options.js';

export const stateRewind: CommandSpec = {
  name: 'state rewind',
  summary: 'Set streams back to an earlier point, so that the next run reads on from there',
  description:
    'For streams that are read by increments; a full copy is repeated instead (`sluice run --full-refresh`). Rows in the ' +
    'target stay: write mode upsert writes those behind the point again by their key, append would add them a ' +
    'second time and needs --repeat-rows. Goes back as far as the history is kept, and never forward.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module' }],
  options: {
    to: {
      kind: 'text',
      value: '<point>',
      summary: 'A run (the state at its end), a time such as 2026-03-01T12:00Z, or start',
    },
    streams,
    'repeat-rows': { kind: 'flag', summary: 'Accept that write mode append adds rows a second time' },
    yes: { kind: 'flag', summary: 'Do it; without this the command only says what would be set back' },
    state,
  },
  examples: [
    {
      command: 'sluice state rewind shop.json --to 2026-03-01T12:00Z',
      summary: 'What would be set back',
    },
    {
      command: "sluice state rewind shop.json --to 5f0c91d2 --streams 'public.orders' --yes",
      summary: 'One stream to where a run had ended',
    },
  ],
  action: () => import('../actions/state-rewind.js'),
};
