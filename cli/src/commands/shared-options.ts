/** Options that several commands take. */
import type { OptionSpec } from './command.js';

export const streams: OptionSpec = {
  kind: 'list',
  value: '<pattern,…>',
  summary: 'Streams by name; * stands for any characters. Can be repeated',
};

export const state: OptionSpec = {
  kind: 'text',
  value: '<file>',
  summary: 'Ledger that keeps positions (default .sluice/state.db where the job is)',
};

/** What `run` and `copy` share: how a run goes, not what it moves. */
export const runOptions: { readonly [name: string]: OptionSpec } = {
  'result-file': { kind: 'text', value: '<file>', summary: 'Also write the result as JSON to a file' },
  memory: { kind: 'text', value: '<size>', summary: 'Memory for batches in flight, such as 512Mi' },
  parallel: { kind: 'count', summary: 'Parts of streams that are read at once' },
  state,
  rung: {
    kind: 'choice',
    choices: ['columns', 'rows'],
    summary: 'Decode every batch at least so deep, to compare results; slower',
  },
};
