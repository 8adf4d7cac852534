import { defineErrors } from '@sluice/sdk';

/** Errors of the reference connectors. */
export const memoryErrors = defineErrors('MEMORY', {
  unreachable: {
    number: 1,
    class: 'transient',
    title: 'There is no such place',
    help: 'Open the place first.',
  },
  streamMissing: {
    number: 2,
    class: 'contract',
    title: 'A stream is gone',
    help: 'Discover the streams again.',
  },
  fenced: {
    number: 3,
    class: 'contract',
    title: 'Another run has taken over',
    help: 'Let the other run go on.',
  },
  valueRefused: {
    number: 4,
    class: 'data',
    title: 'A value has no place',
    help: 'Cast or filter the value.',
  },
  wouldEmpty: {
    number: 5,
    class: 'contract',
    title: 'No rows would replace some',
    help: 'Set allowEmpty if that is meant.',
  },
  modeMissing: {
    number: 6,
    class: 'config',
    title: 'There is no such write mode',
    help: 'Choose another mode.',
  },
  targetRefused: {
    number: 7,
    class: 'config',
    title: 'The save mode forbids this target',
    help: 'Choose another target.',
  },
});
