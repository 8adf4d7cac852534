import type { CommandSpec } from './command.js';
import { streams } from './shared-options.js';

export const discover: CommandSpec = {
  name: 'discover',
  summary: 'List the streams of a system, with their columns',
  positionals: [
    {
      name: 'what',
      summary: 'URL, path, glob, or a job file whose sources are meant',
      completion: 'location',
    },
  ],
  options: {
    streams,
    connection: { kind: 'text', value: '<name>', summary: 'This connection of the job file' },
    from: { kind: 'pairs', summary: 'A key of the connection to a URL or path; can be repeated' },
  },
  examples: [
    { command: 'sluice discover postgres://localhost/shop', summary: 'Tables of a database' },
    { command: "sluice discover 'exports/*.csv' --json", summary: 'Columns of files, for a program' },
    { command: 'sluice discover shop.json --connection crm', summary: 'One connection of a job' },
  ],
  action: () => import('../actions/discover.js'),
};
