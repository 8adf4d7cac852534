/** What can be wrong with a CSV file. Messages name the file, the line on which the record starts, and the column. */
import { defineErrors } from '@sluice/sdk';

export const csvErrors = defineErrors('CSV', {
  badValue: {
    number: 1,
    class: 'data',
    title: 'A CSV value is not of its column’s type',
    help: 'Declare a type that holds the value (`types`), name the texts that mean null (`nulls`), or correct the file.',
  },
  raggedRow: {
    number: 2,
    class: 'data',
    title: 'A CSV record has more or fewer fields than the file has columns',
    help: 'Check the delimiter and the quotes of that line; `pad: true` fills missing fields at the end with null.',
  },
  openQuote: {
    number: 3,
    class: 'data',
    title: 'A quoted CSV field is never closed',
    help: 'Correct the quotes of that record, or set `quote` to the character that the file uses (or to none).',
  },
  textAfterQuote: {
    number: 4,
    class: 'data',
    title: 'A CSV field goes on behind its closing quote',
    help: 'A quote inside a quoted field is doubled; set `escape` if the file marks it with a backslash.',
  },
  fieldTooLarge: {
    number: 5,
    class: 'data',
    title: 'A CSV record is larger than allowed',
    help: 'A quote that is never closed can be the cause. If the record is right, raise `maxRecordBytes`.',
  },
  notUtf8: {
    number: 6,
    class: 'data',
    title: 'A CSV file is not UTF-8',
    help: 'Name the encoding with `encoding`, or convert the text, for example with `iconv -f WINDOWS-1252 -t UTF-8`.',
  },
  missingValue: {
    number: 7,
    class: 'data',
    title: 'A CSV value is missing in a column that allows no nulls',
    help: 'Allow nulls in that column, or correct the file.',
  },
  badHeader: {
    number: 8,
    class: 'contract',
    title: 'A CSV header is missing, ambiguous or not the expected one',
    help: 'Correct the header, or give the columns’ names with `names` (and `header: false` when there is no header).',
  },
  badDialect: {
    number: 9,
    class: 'config',
    title: 'The CSV settings contradict each other',
    help: 'Delimiter, quote, escape and comment are one ASCII character each, and all different.',
  },
  notPlaceable: {
    number: 10,
    class: 'data',
    title: 'A value that the source did not send cannot be written to a file',
    help: 'Files hold whole rows. Make the source send whole rows, or write to a sink that updates by key.',
  },
});
