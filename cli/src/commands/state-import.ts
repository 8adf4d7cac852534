import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateImport: CommandSpec = {
  name: 'state import',
  summary: 'Take exported state into a ledger that has none of the job',
  description:
    'Source and sinks must be the systems that the state belongs to, and state that is there is never overwritten. ' +
    'A sink that keeps a record of its own still has its say at the next run.',
  positionals: [
    { name: 'job', summary: 'Job file: JSON, YAML or a module' },
    { name: 'file', summary: 'What `sluice state export` has written' },
  ],
  options: { state },
  examples: [{ command: 'sluice state import shop.json shop-state.json', summary: 'On another machine' }],
  action: () => import('../actions/state-import.js'),
};
