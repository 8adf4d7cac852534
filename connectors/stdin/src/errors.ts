/** Errors of standard input. */
import { defineErrors } from '@sluice/sdk';

export const stdinErrors = defineErrors('STDIN', {
  readOnce: {
    number: 1,
    class: 'contract',
    title: 'Standard input can be read once',
    help: 'What was read is committed up to the last epoch; the rest must be sent again. Write it to a file first where that matters.',
  },
  noColumns: {
    number: 2,
    class: 'config',
    title: 'Standard input has no columns',
    help: 'It ended before its first row. Set `columns` where that may happen.',
  },
});
