import { expect, it } from 'vitest';
import { defineErrors, SluiceError } from './errors.js';
import { streamError, streamOf } from './stream-error.js';

const errors = defineErrors('TEST', {
  gone: { number: 1, class: 'contract', title: 'Gone', help: 'Look for it.' },
});

it('an error is made one of a stream, and is otherwise the same', () => {
  const cause = new Error('below');
  const error = errors.gone('the table is gone', { cause, details: { table: 't' }, help: 'Make it.' });
  const named = streamError(error, 'public.t');
  expect(named).toBeInstanceOf(SluiceError);
  expect(named).toMatchObject({
    message: 'the table is gone',
    code: 'SLUICE-TEST-0001',
    class: 'contract',
    help: 'Make it.',
    details: { table: 't', stream: 'public.t' },
    cause,
    stack: error.stack,
  });
  expect([streamOf(error), streamOf(named)]).toEqual([undefined, 'public.t']);
});

it('one that names a stream stays as it is, and one that was not foreseen gets a code', () => {
  const named = errors.gone('gone', { details: { stream: 'a' } });
  expect(streamError(named, 'b')).toBe(named);
  expect(streamError(new TypeError('x'), 'b')).toMatchObject({ class: 'internal', details: { stream: 'b' } });
});
