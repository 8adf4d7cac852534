import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'Examine this machine, the ledger and the systems of a job, and say what mends each problem',
  description:
    'Looks at versions, memory, the ledger, connections, rights, folders and disk space, and changes no data. Each ' +
    'problem comes with the statement, command or setting that mends it. The exit code is that of the first problem ' +
    'with which the job would fail.',
  positionals: [
    { name: 'job', summary: 'Job file: JSON, YAML or a module', optional: true, completion: 'job' },
  ],
  options: { state },
  examples: [
    { command: 'sluice doctor shop.json', summary: 'What is missing before the job can run' },
    {
      command: "sluice doctor shop.json --json | jq -r '.sections[].findings[].fix // empty'",
      summary: 'The statements that mend it',
    },
    { command: 'sluice doctor', summary: 'This machine only: for a report of a problem' },
  ],
  action: () => import('../actions/doctor.js'),
};
