/** The coded errors of transforms and of the expression language. */
import { defineErrors } from '@sluice/sdk';

export const transformErrors = defineErrors('TRANSFORM', {
  unknownColumn: {
    number: 1,
    class: 'config',
    title: 'A transform names a column that the stream does not have at this point',
    help: 'Correct the name. Transforms run in order: a column that was renamed or dropped before has its new name or none.',
  },
  duplicateColumn: {
    number: 2,
    class: 'config',
    title: 'Two columns would have the same name',
    help: 'Choose another name, or drop the existing column before.',
  },
  keyRemoved: {
    number: 3,
    class: 'config',
    title: 'A transform would remove a key column',
    help: 'Keep the column, or set "dropKey": true to let the stream go on without a key (then only append and replace can write it).',
  },
  keyMerged: {
    number: 4,
    class: 'config',
    title: 'A transform would give different rows the same key',
    help: 'Mask key columns with hmac, which keeps different values different, or choose another key for the stream.',
  },
  noColumnsLeft: {
    number: 5,
    class: 'config',
    title: 'A transform leaves no columns',
    help: 'Keep at least one column, or leave the stream out of the job.',
  },
  wrongType: {
    number: 6,
    class: 'config',
    title: 'A transform does not work on a column of this type',
    help: 'Choose another column, or cast it before.',
  },
  castImpossible: {
    number: 7,
    class: 'config',
    title: 'There is no conversion between two types',
    help: 'Cast to another type, or use compute with an expression that says how to convert.',
  },
  castRefused: {
    number: 8,
    class: 'data',
    title: 'A value cannot be converted without changing it',
    help: 'Cast to a wider type, or use compute with an expression that says what to do with such values, as round() does.',
  },
  moduleNotLoaded: {
    number: 9,
    class: 'config',
    title: 'The module of a js transform cannot be loaded or has not the expected exports',
    help: 'The module must be JavaScript that Node can import, with a function as its default export or one named "columns".',
  },
  moduleFailed: {
    number: 10,
    class: 'data',
    title: 'The function of a js transform threw or returned something that is no row',
    help: 'Correct the function, or let it return null for rows that it cannot handle.',
  },
  explodedChange: {
    number: 11,
    class: 'data',
    title: 'A js transform returned several rows for a change whose old row is not known',
    help: 'Let the source send whole rows as they were before each change, read the stream in full mode, or return one row or null.',
  },
  maskNoKey: {
    number: 12,
    class: 'config',
    title: 'A mask has no key',
    help: 'Give the transform a "key" of at least 16 characters, for example "${env:MASK_KEY}".',
  },
  keyNotKnown: {
    number: 13,
    class: 'contract',
    title: 'A js transform changes the key of rows of which changes bring nothing but the key',
    help: 'Let the module keep the key columns of the stream as they are, let the source send whole rows as they were before each change, or read the stream in full mode.',
  },
});

export const expressionErrors = defineErrors('EXPR', {
  syntax: {
    number: 1,
    class: 'config',
    title: 'An expression cannot be read',
    help: 'Expressions are written in CEL (https://cel.dev). Column names with other characters than letters, digits and _ are written col("the name").',
  },
  unknownName: {
    number: 2,
    class: 'config',
    title: 'An expression names a column or function that does not exist',
    help: 'Correct the name. Transforms run in order: a column that was renamed or dropped before has its new name or none.',
  },
  typeMismatch: {
    number: 3,
    class: 'config',
    title: 'The parts of an expression do not fit together',
    help: 'Convert one side: int(), double(), decimal(), string(), timestamp(), date(), bool().',
  },
  evaluation: {
    number: 4,
    class: 'data',
    title: 'An expression has no result for a row',
    help: 'Guard the expression, for example with a condition (b != 0 ? a / b : null), or filter such rows before.',
  },
  notSent: {
    number: 5,
    class: 'data',
    title: 'An expression reads a column that the source did not send with a change',
    help: 'Let the source send rows as they were before (Postgres: ALTER TABLE … REPLICA IDENTITY FULL), or read other columns.',
  },
  badConstant: {
    number: 6,
    class: 'config',
    title: 'A constant part of an expression has no value',
    help: 'Correct the constant.',
  },
});
