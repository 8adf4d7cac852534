import { defineErrors } from '@sluice/sdk';

/** Errors of the generate connector. */
export const generateErrors = defineErrors('GENERATE', {
  unknownStream: {
    number: 1,
    class: 'contract',
    title: 'A stream that the configuration does not have',
    help: 'Add the stream to `streams` of the connection, or take it out of the job.',
  },
});
