/** Checks that a refusal is a coded error, of a class that makes the engine react rightly. */
import { type ErrorClass, isSluiceError, type SluiceError } from '@sluice/sdk';
import { outcome } from './patience.js';
import { demand } from './rule.js';

/** The coded error that the promise rejects with; a violation when it resolves or rejects with anything else. */
export async function demandRefusal(
  promise: Promise<unknown>,
  what: string,
  classes?: readonly ErrorClass[],
): Promise<SluiceError> {
  const ended = await outcome(promise);
  demand('error' in ended, `${what} was not refused`);
  return demandCoded(ended.error, what, classes);
}

/** The error as a coded one of one of the classes. */
export function demandCoded(error: unknown, what: string, classes?: readonly ErrorClass[]): SluiceError {
  demand(isSluiceError(error), () => `${what} was refused with an error that has no code: ${String(error)}`);
  demand(
    classes === undefined || classes.includes(error.class),
    () => `${what} was refused with ${error.code} of class ${error.class}; expected ${classes?.join(' or ')}`,
  );
  demand(error.message.length > 0 && error.help.length > 0, `${error.code} has no message or no help`);
  return error;
}
