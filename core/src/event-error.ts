/** Errors as data: what events, results and the ledger carry of them. */
import { toSluiceError } from '@sluice/sdk';
import type { EventError } from './events.js';

export function eventError(error: unknown): EventError {
  const { code, class: errorClass, message, help, details } = toSluiceError(error);
  return { code, class: errorClass, message, help, details };
}
