/** What `diagnose` answers: one fact about a system each, and where it is in the way, what mends it. */
import type { ErrorClass, SluiceError } from './errors.js';

/**
 * A finding is JSON. `what` is one line, and names what it is about: a table, a right, a folder. `fix` is what a person
 * types or sets: a statement that ends with a semicolon, a command, a setting. Neither holds a secret.
 */
export type Finding =
  | { readonly level: 'ok'; readonly what: string }
  /** The job runs, and may not do what is meant. */
  | { readonly level: 'warn'; readonly what: string; readonly fix?: string }
  /** The job fails. `class` is that of the error which it would fail with. */
  | { readonly level: 'fail'; readonly what: string; readonly fix: string; readonly class: ErrorClass };

/** An error as a finding. */
export function failure({ message, code, help, class: errorClass }: SluiceError): Finding {
  const what = `${message.replace(/\s*\n\s*/g, ' ')} (${code})`;
  return { level: 'fail', what, fix: help, class: errorClass };
}
