/** Waiting with an end: what the contracts call "soon". */
import { Violation } from './rule.js';

/** The promise's outcome, or a {@link Violation} when it has none within `ms`. */
export async function soon<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Violation(`${what} did not end within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What became of a promise: its value, or the error it rejected with. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export function outcome<T>(promise: Promise<T>): Promise<Outcome<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
