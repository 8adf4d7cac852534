/** What can go wrong with a place of files. */
import { defineErrors } from '@sluice/sdk';

export const storageErrors = defineErrors('STORAGE', {
  missing: {
    number: 1,
    class: 'contract',
    title: 'A file or folder is not there',
    help: 'Check the path. If the file was moved on purpose, start a new full copy of its stream.',
  },
  denied: {
    number: 2,
    class: 'auth',
    title: 'A file or folder may not be read or written',
    help: 'Give the user that runs Sluice the right to read (source) or write (sink) there.',
  },
  occupied: {
    number: 3,
    class: 'contract',
    title: 'Something else stands where a file or folder is to go',
    help: 'Another run may have put it there. Repeat the run; if it stays, look at what the path holds.',
  },
  noSpace: {
    number: 4,
    class: 'transient',
    title: 'The disk is full, or a quota is used up',
    help: 'Free space and repeat the run; it goes on where it stopped.',
  },
  failed: {
    number: 5,
    class: 'transient',
    title: 'The system failed to read or write a file',
    help: 'The cause names the system’s error. Repeat the run; if it stays, check the disk or the mount.',
  },
});
