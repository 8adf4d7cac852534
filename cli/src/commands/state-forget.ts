import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const stateForget: CommandSpec = {
  name: 'state forget',
  summary: 'Forget how far a job has come, so that its next run begins as a first one',
  description:
    'Rows in the target stay. A sink that keeps a record of its own (databases, file manifests) still has its say: ' +
    'what it remembers of the job is taken over by the next run. Meant for a target that was restored, replaced or ' +
    'cleaned; to copy everything afresh into the same target, `sluice run --full-refresh` is enough.',
  positionals: [{ name: 'job', summary: 'Job file, or the name of a job', completion: 'job' }],
  options: {
    yes: { kind: 'flag', summary: 'Do it; without this the command only says what would be forgotten' },
    state,
  },
  examples: [
    { command: 'sluice state forget shop.json', summary: 'What would be forgotten' },
    { command: 'sluice state forget shop.json --yes', summary: 'Forget it' },
  ],
  action: () => import('../actions/state-forget.js'),
};
