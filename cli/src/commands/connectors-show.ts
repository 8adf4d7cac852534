import type { CommandSpec } from './command.js';

export const connectorsShow: CommandSpec = {
  name: 'connectors show',
  summary: 'Show what one connector can do, its settings and its errors',
  positionals: [
    { name: 'connector', summary: 'Name of the connector, as in job files', completion: 'connector' },
  ],
  options: {},
  examples: [
    { command: 'sluice connectors show postgres', summary: 'Modes, keys with types and defaults, errors' },
    { command: 'sluice connectors show ./mine --json', summary: 'One of your own, as data' },
  ],
  action: () => import('../actions/connectors-show.js'),
};
