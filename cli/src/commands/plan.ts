import type { CommandSpec } from './command.js';
import { state, streams } from './shared-options.js';

export const plan: CommandSpec = {
  name: 'plan',
  summary: 'Show what a job would do, and change nothing',
  description:
    'For each stream: how it is read and written, what is guaranteed, every type with what happens to its values, ' +
    'and the statements that would change the target.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {
    streams: { ...streams, summary: 'Plan these streams of the job only; * stands for any characters' },
    format: {
      kind: 'choice',
      choices: ['table', 'json', 'mermaid'],
      summary: 'For people (default), for programs, or as a flowchart for Markdown',
    },
    state,
  },
  examples: [
    { command: 'sluice plan shop.json', summary: 'Read it before the first run' },
    {
      command:
        'sluice plan shop.json --format json | jq \'.flows[].streams[] | select(.guarantee != "exactly once")\'',
      summary: 'Streams that are not exactly once',
    },
    {
      command: 'sluice plan shop.json --format mermaid > shop.mmd',
      summary: 'A picture of the flows: streams, transforms and targets',
    },
  ],
  action: () => import('../actions/plan.js'),
};
