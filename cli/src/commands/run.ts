import type { CommandSpec } from './command.js';
import { runOptions, streams } from './shared-options.js';

export const run: CommandSpec = {
  name: 'run',
  summary: 'Run a job from where it stopped last',
  description:
    'Stop it at any time: the first Ctrl-C or SIGTERM commits what is complete and leaves, the second leaves at ' +
    'once, and the next run continues from the last committed position in either case. When stdout is no ' +
    'terminal its last line is the result as JSON.',
  positionals: [{ name: 'job', summary: 'Job file: JSON, YAML or a module', completion: 'job' }],
  options: {
    streams: { ...streams, summary: 'Run these streams of the job only; * stands for any characters' },
    'full-refresh': {
      kind: 'flag',
      summary:
        'Copy every stream afresh, whatever was done before; with write mode append its rows are added once more',
    },
    refresh: {
      kind: 'list',
      value: '<pattern,…>',
      summary: 'Copy these streams afresh, from their beginning, while the others go on; see --full-refresh',
    },
    follow: {
      kind: 'flag',
      summary:
        'Go on reading changes (mode cdc) as they come, until it is stopped; what passes is waited for',
    },
    ...runOptions,
  },
  examples: [
    { command: 'sluice run shop.json', summary: 'Run a job, with progress' },
    { command: "sluice run shop.json --streams 'public.orders'", summary: 'One stream of it' },
    { command: 'sluice run shop.json --json | jq .event', summary: 'Every event of the run, for a program' },
    {
      command: "sluice run shop.json --refresh 'public.orders'",
      summary: 'One stream anew, the others go on',
    },
    { command: 'sluice run shop.json --follow', summary: 'Follow the changes of a source' },
    { command: 'sluice run shop.json --quiet --result-file result.json', summary: 'In a scheduler' },
  ],
  action: () => import('../actions/run.js'),
};
