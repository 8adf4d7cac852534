/**
 * Coded errors. A class says how the engine reacts; a code is stable and has a page; the message says what
 * happened, here and now; the help says what to do.
 */
import type { Json } from './json.js';

/**
 * - `config`: the job or a setting is wrong; nothing runs.
 * - `auth`: credentials or permissions; nothing runs.
 * - `contract`: the two systems no longer agree with the plan or the ledger (schema drift, lost or foreign state).
 * - `data`: a row cannot be kept; the only class that can be tolerated.
 * - `transient`: may pass by itself; retried with backoff.
 * - `throttled`: the system asked to wait; waiting is no attempt.
 * - `internal`: a defect of Sluice or of a connector.
 */
export type ErrorClass = 'config' | 'auth' | 'contract' | 'data' | 'transient' | 'throttled' | 'internal';

/** What is always true of a code: the row of the error index. */
export interface ErrorEntry {
  /** `SLUICE-PG-0012`. */
  readonly code: string;
  readonly name: string;
  readonly class: ErrorClass;
  /** What happened, in general. */
  readonly title: string;
  /** What to do. */
  readonly help: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** What to do in this case, where more can be said than the entry's help. */
  readonly help?: string;
  /** Facts for programs: stream, split, position, line, … Never a secret. */
  readonly details?: { readonly [name: string]: Json };
  /** For `throttled`: how long the system asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: string;
  readonly class: ErrorClass;
  readonly help: string;
  readonly details: { readonly [name: string]: Json };
  readonly retryAfterMs: number | undefined;

  constructor(entry: ErrorEntry, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = entry.code;
    this.class = entry.class;
    this.help = options.help ?? entry.help;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether a value is a coded error, also one that another copy of this package made. */
export function isSluiceError(error: unknown): error is SluiceError {
  return error instanceof Error && error.name === 'SluiceError' && 'code' in error && 'class' in error;
}

/** Makes the error of one code: `message` is what happened, here. */
export interface ErrorFactory {
  (message: string, options?: ErrorOptions): SluiceError;
  readonly entry: ErrorEntry;
}

export interface ErrorDefinition {
  /** Number of the code, unique within its family and never reused. */
  readonly number: number;
  readonly class: ErrorClass;
  readonly title: string;
  readonly help: string;
}

/**
 * Declares the codes of one family (`PG` → `SLUICE-PG-0012`) and returns a factory for each:
 * `throw pgErrors.unreachable('db1:5432 refused the connection', { cause })`.
 */
export function defineErrors<const D extends { readonly [name: string]: ErrorDefinition }>(
  family: string,
  definitions: D,
): { readonly [K in keyof D]: ErrorFactory } {
  const seen = new Set<number>();
  const factories: { [name: string]: ErrorFactory } = {};
  for (const [name, { number, class: errorClass, title, help }] of Object.entries(definitions)) {
    if (seen.has(number)) throw new TypeError(`error number ${number} of ${family} is used twice`);
    seen.add(number);
    const code = `SLUICE-${family}-${number.toString().padStart(4, '0')}`;
    const entry: ErrorEntry = { code, name, class: errorClass, title, help };
    factories[name] = Object.assign(
      (message: string, options?: ErrorOptions) => new SluiceError(entry, message, options),
      { entry },
    );
  }
  return factories as { readonly [K in keyof D]: ErrorFactory };
}

/** The entries of a family, for the error index. */
export function errorEntries(family: { readonly [name: string]: ErrorFactory }): ErrorEntry[] {
  return Object.values(family).map((factory) => factory.entry);
}

/** Errors that any part may raise. */
export const sdkErrors = defineErrors('SDK', {
  valueRefused: {
    number: 1,
    class: 'data',
    title: 'A value does not fit its column',
    help: 'Give the column a type that holds the value, or cast or filter the value in a transform.',
  },
  notSupported: {
    number: 2,
    class: 'config',
    title: 'The connector cannot do this',
    help: 'Choose another mode or another connector; `sluice connectors list` shows what each can do.',
  },
  configInvalid: {
    number: 3,
    class: 'config',
    title: 'A connection, stream or transform has a wrong or missing setting',
    help: 'Correct the key that the message names.',
  },
  unexpected: {
    number: 4,
    class: 'internal',
    title: 'Something failed that was not foreseen',
    help: 'Please report it with the message and the stack trace; the run can be repeated safely.',
  },
});

/** The error itself when it is coded, else an `internal` one around it. */
export function toSluiceError(error: unknown): SluiceError {
  if (isSluiceError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return sdkErrors.unexpected(message, { cause: error });
}
