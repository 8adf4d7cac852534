import type { CommandSpec } from './command.js';
import { streams } from './shared-options.js';

export const init: CommandSpec = {
  name: 'init',
  summary: 'Write a job file that runs, from questions or from arguments',
  description:
    'On a terminal it asks for what was not given, and proposes what source and sink can do. The job is planned ' +
    'before it is written to `<name>.json` in the current folder; secrets go to `.env` beside it, and the job ' +
    'refers to them. A job file that is there is never overwritten.',
  positionals: [
    {
      name: 'from',
      summary: 'Source: URL, path, glob, or the name of a connector',
      optional: true,
      completion: 'location',
    },
    {
      name: 'to',
      summary: 'Sink: URL, path, or the name of a connector',
      optional: true,
      completion: 'location',
    },
  ],
  options: {
    name: { kind: 'text', value: '<name>', summary: 'Name of the job (default: made from source and sink)' },
    streams,
    mode: {
      kind: 'choice',
      choices: ['full', 'incremental', 'cdc'],
      summary: 'What each run reads: everything, what is new, or changes',
    },
    cursor: { kind: 'text', value: '<column>', summary: 'Column that tells what is new' },
    write: {
      kind: 'choice',
      choices: ['append', 'upsert', 'replace', 'mirror'],
      summary: 'How rows are written',
    },
    from: { kind: 'pairs', summary: 'A key of the source’s connection; can be repeated' },
    to: { kind: 'pairs', summary: 'A key of the sink’s connection; can be repeated' },
    yes: { kind: 'flag', short: 'y', summary: 'Ask nothing: take the proposals' },
  },
  examples: [
    { command: 'sluice init', summary: 'Be asked' },
    {
      command: "sluice init postgres://ann@localhost/shop lake.duckdb --streams 'public.*' --yes",
      summary: 'From a program',
    },
    {
      command: "sluice init postgres lake.duckdb --from 'url=${env:SHOP_URL}' --name shop",
      summary: 'With a secret that is in the environment already',
    },
  ],
  action: () => import('../actions/init.js'),
};
