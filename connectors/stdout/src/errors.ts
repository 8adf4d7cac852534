/** Errors of standard output. */
import { defineErrors } from '@sluice/sdk';

export const stdoutErrors = defineErrors('STDOUT', {
  closed: {
    number: 1,
    class: 'contract',
    title: 'Standard output was closed while rows were written to it',
    help: 'The program behind the pipe ended before all rows were through (`head` does). Nothing is left half done.',
  },
});
