import type { CommandSpec } from './command.js';

export const schema: CommandSpec = {
  name: 'schema',
  summary: 'Print the JSON Schema of job files, with the connectors that are installed',
  positionals: [],
  options: {},
  examples: [
    { command: 'sluice schema > job.schema.json', summary: 'For an editor: "$schema": "./job.schema.json"' },
  ],
  action: () => import('../actions/schema.js'),
};
