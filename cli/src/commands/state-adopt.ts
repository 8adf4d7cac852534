import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateAdopt: CommandSpec = {
  name: 'state adopt',
  summary: 'Make ledger and sinks agree where a run refuses to decide',
  description:
    'Says that the systems which the job meets now are the ones that are meant, though they are others than recorded ' +
    '(a server that was restored or moved); gives a sink that lost its record the one of the ledger; and takes what ' +
    'sinks remember into a ledger that was lost. Rows are not looked at: where they are gone too, ' +
    '`sluice state forget` is right.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module' }],
  options: { state },
  examples: [{ command: 'sluice state adopt shop.json', summary: 'After the target has moved' }],
  action: () => import('../actions/state-adopt.js'),
};
