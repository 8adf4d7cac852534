import type { CommandSpec } from './command.js';

export const connectorsList: CommandSpec = {
  name: 'connectors list',
  summary: 'List the connectors that are installed, and what each can do',
  positionals: [],
  options: {},
  examples: [
    { command: 'sluice connectors list', summary: 'Names, modes, URLs and file endings' },
    { command: 'sluice connectors list --json', summary: 'The same as data' },
  ],
  action: () => import('../actions/connectors-list.js'),
};
