/** Errors of writing files. */
import { defineErrors } from '@sluice/sdk';

export const fileSinkErrors = defineErrors('FILESINK', {
  fenced: {
    number: 1,
    class: 'contract',
    title: 'Another run has taken over this job’s files',
    help: 'Nothing to do: this run has stopped writing; the other one continues from the last committed position.',
  },
  foreignFiles: {
    number: 2,
    class: 'config',
    title: 'The target folder holds files that no job wrote',
    help: 'Choose another folder or name, or set save mode `recreate` to replace what is there.',
  },
  targetName: {
    number: 3,
    class: 'config',
    title: 'A target’s name is no folder below the path',
    help: 'Use a relative name without `..`; a template such as `{stream:40}` shortens names.',
  },
  oneFileOneStream: {
    number: 4,
    class: 'config',
    title: 'One file takes one stream',
    help: 'Set `path` to a folder, or select one stream.',
  },
  emptyReplacement: {
    number: 5,
    class: 'contract',
    title: 'Zero rows would replace files that hold some',
    help: 'Set `allowEmpty: true` if that is meant.',
  },
  formatUnknown: {
    number: 6,
    class: 'config',
    title: 'The format of the files to write is not known',
    help: 'Set `format` to `parquet`, `csv` or `jsonl`, or end the path with one of their endings.',
  },
  saveMode: {
    number: 7,
    class: 'config',
    title: 'The target does not suit the save mode',
    help: 'The message says whether it is there; `keep` takes it either way.',
  },
  recordDamaged: {
    number: 8,
    class: 'contract',
    title: 'The record of committed files cannot be read',
    help: 'The `.sluice` folder beside the files was changed or cut short. Restore it, or start over in another folder.',
  },
  partitionColumn: {
    number: 9,
    class: 'config',
    title: 'A column cannot make folders',
    help:
      'Name columns of the stream in `partitionBy`, of type bool, integer, decimal, string, enum, uuid or date, and ' +
      'leave one for the files. `compute` and `cast` make such columns. The target is a folder.',
  },
  partitionsDiffer: {
    number: 10,
    class: 'config',
    title: 'The target is partitioned by other columns',
    help: 'Readers take one layout a folder. Set `partitionBy` as it was, or write to another name, or with `replace`.',
  },
  partitionValue: {
    number: 11,
    class: 'data',
    title: 'A value cannot be the name of a folder',
    help: 'Partition by another column, or shorten the values by a transform.',
  },
});
