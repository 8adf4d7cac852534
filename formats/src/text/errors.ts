/** What can be wrong with texts, whatever stands in them. */
import { defineErrors } from '@sluice/sdk';

export const textErrors = defineErrors('TEXT', {
  undecodable: {
    number: 1,
    class: 'data',
    title: 'A text is not of its encoding',
    help:
      'Name the encoding that the file has with `encoding`. If it is the right one, the file is damaged at that place, ' +
      'or cut short.',
  },
});
