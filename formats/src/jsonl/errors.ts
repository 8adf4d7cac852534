/** What can be wrong with JSON files. Messages name the file, the line on which the record starts, and the column. */
import { defineErrors } from '@sluice/sdk';

export const jsonErrors = defineErrors('JSON', {
  badValue: {
    number: 1,
    class: 'data',
    title: 'A JSON value is not of its column’s type',
    help: 'Declare a type that holds the value (`types`), or correct the file.',
  },
  broken: {
    number: 2,
    class: 'data',
    title: 'A line is no JSON document',
    help: 'Correct that line. A file that is one array of objects is read with format `json`.',
  },
  notAnObject: {
    number: 3,
    class: 'data',
    title: 'A JSON document is not an object',
    help: 'Records are objects. Declare `raw: true` to read documents of any kind into one json column.',
  },
  recordTooLarge: {
    number: 4,
    class: 'data',
    title: 'A JSON record is larger than allowed',
    help: 'If the record is right, raise `maxRecordBytes`.',
  },
  notUtf8: {
    number: 5,
    class: 'data',
    title: 'A JSON file is not UTF-8',
    help: 'Name the encoding with `encoding`, or convert the text, for example with `iconv -f UTF-16 -t UTF-8`.',
  },
  missingValue: {
    number: 6,
    class: 'data',
    title: 'A value is missing in a column that allows no nulls',
    help: 'Allow nulls in that column, or correct the file.',
  },
  unknownMember: {
    number: 7,
    class: 'contract',
    title: 'A JSON record has a member that is no column',
    help: 'Plan the stream again with a larger `sample`, declare the column with `types`, or set `extra: "ignore"`.',
  },
  notPlaceable: {
    number: 8,
    class: 'data',
    title: 'A value that the source did not send cannot be written to a file',
    help: 'Files hold whole rows. Make the source send whole rows, or write to a sink that updates by key.',
  },
});
