import type { CommandSpec } from './command.js';

export const explain: CommandSpec = {
  name: 'explain',
  summary: 'Say what an error code means, and what to do',
  description: 'Codes of connectors are known where the connector is installed.',
  positionals: [{ name: 'code', summary: 'Code of an error, such as SLUICE-CSV-0003 or csv-3' }],
  options: {},
  examples: [
    { command: 'sluice explain SLUICE-CSV-0003', summary: 'What happened, and what to do' },
    { command: 'sluice explain csv-3 --json', summary: 'The same as data' },
  ],
  action: () => import('../actions/explain.js'),
};
