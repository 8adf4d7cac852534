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
  completion: 'file',
  summary: 'Ledger that keeps positions (default .sluice/state.db where the job is)',
};

/** Which dead letters a command is about. */
export const letterFilter: { readonly [name: string]: OptionSpec } = {
  flow: { kind: 'text', value: '<flow>', summary: 'Only those of a flow' },
  sink: { kind: 'text', value: '<sink>', summary: 'Only those on their way to a sink' },
  stream: { kind: 'text', value: '<stream>', summary: 'Only those of a stream' },
  id: { kind: 'text', value: '<id>', summary: 'Only this one' },
};

/** What `run` and `copy` share: how a run goes, not what it moves. */
export const runOptions: { readonly [name: string]: OptionSpec } = {
  'result-file': {
    kind: 'text',
    value: '<file>',
    completion: 'file',
    summary: 'Also write the result as JSON to a file',
  },
  'metrics-port': {
    kind: 'count',
    value: '<port>',
    summary: 'Serve Prometheus metrics under /metrics while the run lasts; 0 takes any free port',
  },
  'metrics-host': {
    kind: 'text',
    value: '<address>',
    summary: 'Address that metrics are served on (default 127.0.0.1: this machine alone)',
  },
  'metrics-file': {
    kind: 'text',
    value: '<file>',
    completion: 'file',
    summary: 'Also keep the metrics in a file, for a collector of text files; name it *.prom',
  },
  memory: { kind: 'text', value: '<size>', summary: 'Memory for batches in flight, such as 512Mi' },
  parallel: { kind: 'count', summary: 'Parts of streams that are read at once' },
  state,
  rung: {
    kind: 'choice',
    choices: ['columns', 'rows'],
    summary: 'Decode every batch at least so deep, to compare results; slower',
  },
};
