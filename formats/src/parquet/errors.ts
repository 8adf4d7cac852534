/** Errors of the Parquet reader and writer. */
import { defineErrors } from '@sluice/sdk';

export const parquetErrors = defineErrors('PARQUET', {
  notParquet: {
    number: 1,
    class: 'contract',
    title: 'The file is no Parquet file',
    help: 'Check that the path names a finished Parquet file; a writer that died leaves one without its footer.',
  },
  damaged: {
    number: 2,
    class: 'contract',
    title: 'A Parquet file is damaged or cut short',
    help: 'Fetch or write the file again; the message says at which byte the damage was met.',
  },
  unsupported: {
    number: 3,
    class: 'contract',
    title: 'A Parquet file uses a feature that is not read',
    help: 'Write the file again without that feature, for instance with another compression or encoding.',
  },
  tooLarge: {
    number: 4,
    class: 'contract',
    title: 'A part of a Parquet file is larger than the limits allow',
    help: 'Write the file with smaller row groups or pages; a file that claims absurd sizes is damaged.',
  },
  valueRefused: {
    number: 5,
    class: 'data',
    title: 'A value has no place in a Parquet column',
    help: 'Give the column the type string, or filter or replace such values in a transform.',
  },
  typeRefused: {
    number: 6,
    class: 'config',
    title: 'A column type cannot be written to Parquet',
    help: 'Cast the column to a type that Parquet has, for instance string or json, or leave it out.',
  },
});
