/** Errors of the command line itself. */
import { defineErrors } from '@sluice/sdk';

export const cliErrors = defineErrors('CLI', {
  usage: {
    number: 1,
    class: 'config',
    title: 'The command line is not understood',
    help: '`sluice --help` lists the commands, `sluice <command> --help` the options of one, with examples.',
  },
  locationUnknown: {
    number: 2,
    class: 'config',
    title: 'No connector is known for a URL or a path',
    help: '`sluice connectors list` shows which URLs and file endings each connector takes.',
  },
  outputUnwritable: {
    number: 3,
    class: 'config',
    title: 'A file that the command should write cannot be written',
    help: 'Check that the folder exists and may be written to.',
  },
  nothingThere: {
    number: 4,
    class: 'config',
    title: 'There is nothing of that name',
    help: 'The message says what there is instead.',
  },
  checkFailed: {
    number: 5,
    class: 'config',
    title: 'One or more systems of the job are not ready',
    help: 'Each line of the report says what to do; repeat `sluice check` until all are ready.',
  },
});
