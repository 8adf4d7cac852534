import type { CommandSpec } from './command.js';
import { runOptions, streams } from './shared-options.js';

export const copy: CommandSpec = {
  name: 'copy',
  summary: 'Copy from one URL, path or glob to another, without a job file',
  description:
    'By default everything is read and replaces what an earlier copy wrote, and a column that the target cannot ' +
    'keep exactly becomes text (a job file refuses that by default). A copy that was interrupted continues when ' +
    'the same command is repeated: its state is kept under a name made from the command. `-` is stdin or stdout; of ' +
    'what goes through a pipe no state is kept.',
  positionals: [
    { name: 'from', summary: 'URL, path, glob, or - for stdin', completion: 'location' },
    { name: 'to', summary: 'URL, path, or - for stdout', completion: 'location' },
  ],
  options: {
    streams,
    mode: {
      kind: 'choice',
      choices: ['full', 'incremental', 'cdc'],
      summary: 'What is read: everything (default), what is new since the last time, or changes',
    },
    cursor: {
      kind: 'text',
      value: '<column>',
      summary: 'Column that tells what is new, for --mode incremental',
    },
    write: {
      kind: 'choice',
      choices: ['append', 'upsert', 'replace', 'mirror'],
      summary: 'How it is written (default: replace what an earlier copy wrote, where the target can)',
    },
    key: { kind: 'list', value: '<column,…>', summary: 'Key columns, where the source does not tell' },
    name: {
      kind: 'text',
      value: '<template>',
      summary: 'Name of the target; {schema} and {stream} are the source’s',
    },
    save: {
      kind: 'choice',
      choices: ['keep', 'recreate', 'require', 'fail'],
      summary: 'What happens to a table that exists (default keep)',
    },
    lossy: {
      kind: 'choice',
      choices: ['fail', 'warn', 'string'],
      summary: 'What happens to columns that the target cannot keep exactly (default string: kept as text)',
    },
    from: { kind: 'pairs', summary: 'A key of the source’s connection; can be repeated' },
    to: { kind: 'pairs', summary: 'A key of the target’s connection; can be repeated' },
    job: {
      kind: 'text',
      value: '<name>',
      summary: 'Name to keep the state under, instead of one made from the command',
    },
    ...runOptions,
  },
  examples: [
    {
      command: "sluice copy postgres://localhost/shop lake.duckdb --streams 'public.*'",
      summary: 'Tables to DuckDB',
    },
    {
      command: "sluice copy 'exports/*.csv' lake.duckdb --name exports",
      summary: 'Many files into one table',
    },
    { command: 'sluice copy flights.parquet flights.csv', summary: 'One file format to another' },
    { command: 'sluice copy flights.parquet - --to format=jsonl | head -3', summary: 'To a program' },
    {
      command: "sluice copy 'inbox/*.jsonl' lake.duckdb --mode incremental --name events",
      summary: 'Only files that have not been copied yet',
    },
  ],
  action: () => import('../actions/copy.js'),
};
