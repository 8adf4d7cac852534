/** What the file connector can run into, beside what formats, compression and storage say themselves. */
import { defineErrors } from '@sluice/sdk';

export const fileErrors = defineErrors('FILE', {
  nothingFound: {
    number: 1,
    class: 'config',
    title: 'No file is at the path, or none matches the pattern',
    help: 'Check `path` (and `streams`); relative paths start from the folder of the job.',
  },
  unknownFormat: {
    number: 2,
    class: 'config',
    title: 'A file’s format does not follow from its ending',
    help: 'Say it with `format`: csv, jsonl, json or parquet.',
  },
  streamsUnclear: {
    number: 3,
    class: 'config',
    title: 'Which files make which stream is not clear',
    help: 'Name one stream for all files with `stream`, or give `streams` a pattern for each.',
  },
  schemasDiffer: {
    number: 4,
    class: 'contract',
    title: 'Files of one stream have different columns',
    help: 'Make the files agree, declare the column’s type with `types`, or read them as separate streams.',
  },
  fileChanged: {
    number: 5,
    class: 'contract',
    title: 'A file has changed since it was read or planned',
    help:
      'Files are read once: write new data to new files. `changed: "reread"` reads a changed file again, ' +
      'whole, beside what was read of it before.',
  },
  unknownColumn: {
    number: 6,
    class: 'config',
    title: 'A setting names a column that no file has',
    help: 'Correct the name.',
  },
  settingInvalid: {
    number: 7,
    class: 'config',
    title: 'A setting of the file connector cannot be used as it is',
    help: 'Correct the setting that the message names.',
  },
});
