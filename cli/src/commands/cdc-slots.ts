import type { CommandSpec } from './command.js';

export const cdcSlots: CommandSpec = {
  name: 'cdc slots',
  summary: 'List what databases keep of their logs for flows that follow changes',
  description:
    'Replication slots and publications with their state, how far they are confirmed, and what they keep on the ' +
    "server's disk: those of the job's flows, or with --all, and for a database, all that have names of ours there.",
  positionals: [{ name: 'what', summary: 'Job file, or the URL of a database', completion: 'location' }],
  options: {
    all: { kind: 'flag', summary: 'Also those of other jobs in the same databases' },
  },
  examples: [
    { command: 'sluice cdc slots shop.json', summary: 'Those of a job' },
    { command: 'sluice cdc slots postgres://localhost/shop', summary: 'All of ours in a database' },
    {
      command: "sluice cdc slots shop.json --json | jq '.sources[].logs[].bytesKept'",
      summary: 'What they keep, for a program',
    },
  ],
  action: () => import('../actions/cdc-slots.js'),
};
