/** What can be wrong with compressed files. */
import { defineErrors } from '@sluice/sdk';

export const compressionErrors = defineErrors('COMPRESSION', {
  damaged: {
    number: 1,
    class: 'data',
    title: 'A compressed file is damaged or cut short',
    help: 'Fetch or write the file again. `gzip -t` or `zstd -t` tells whether a copy is whole.',
  },
});
