import type { CommandSpec } from './command.js';

export const preview: CommandSpec = {
  name: 'preview',
  summary: 'Show some rows of a stream after its transforms, and write nothing',
  positionals: [{ name: 'what', summary: 'Job file, URL, path or glob', completion: 'location' }],
  options: {
    stream: { kind: 'text', value: '<name>', summary: 'The stream; not needed where there is only one' },
    rows: { kind: 'count', summary: 'How many rows (default 10)' },
    from: { kind: 'pairs', summary: 'A key of the connection to a URL or path; can be repeated' },
  },
  examples: [
    { command: 'sluice preview shop.json --stream public.orders', summary: 'What the sink would get' },
    { command: 'sluice preview flights.parquet --rows 3', summary: 'What is in a file' },
    { command: 'sluice preview flights.parquet --json', summary: 'One row a line, for a program' },
  ],
  action: () => import('../actions/preview.js'),
};
