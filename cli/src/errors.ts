/** Errors of the command line itself. */
import { defineErrors } from '@sluice/sdk';

export const cliErrors = defineErrors('CLI', {
  usage: {
    number: 1,
    class: 'config',
    title: 'The command line is not understood',
    help: '`sluice --help` lists the commands, `sluice <command> --help` the options of one, with examples.',
  },
  outputUnwritable: {
    number: 2,
    class: 'config',
    title: 'A file that the command should write cannot be written',
    help: 'Check that the folder exists and may be written to.',
  },
  nothingThere: {
    number: 3,
    class: 'config',
    title: 'There is nothing of that name',
    help: 'The message says what there is instead.',
  },
  fileExists: {
    number: 4,
    class: 'config',
    title: 'A file that the command would make is there already',
    help: 'Choose another name with `--name`, or move the file away: nothing is overwritten.',
  },
  portUnusable: {
    number: 5,
    class: 'config',
    title: 'The port for metrics cannot be used',
    help: 'Choose another `--metrics-port`, or 0 for any that is free; another process may still listen on this one.',
  },
  refreshOfLog: {
    number: 6,
    class: 'config',
    title: 'A stream whose changes are read from a shared log cannot be copied afresh by itself',
    help: '`sluice resync` copies one table of a log once more, `sluice run --full-refresh` all streams.',
  },
});
