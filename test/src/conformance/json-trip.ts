/** Everything that crosses a contract verb, except batches, is JSON: the kit sends all of it through text. */
import { isDeepStrictEqual } from 'node:util';
import { demand } from './rule.js';
import { showDifference } from './show.js';

/** The value after a trip through JSON text, as a ledger or another process would hand it back. */
export function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Throws unless the value survives JSON unchanged. Properties that are undefined count as absent. */
export function demandJson(value: unknown, what: string): void {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    demand(false, `${what} cannot be written as JSON: ${String(error)}`);
  }
  demand(text !== undefined, `${what} is ${typeof value}, which JSON does not have`);
  const back: unknown = JSON.parse(text);
  const given = withoutUndefined(value);
  demand(
    isDeepStrictEqual(given, back),
    () =>
      `${what} is not the same after JSON, ${showDifference(given, back)} (a Date, Map, typed array, NaN or -0?)`,
  );
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  return Object.fromEntries(entries.map(([key, held]) => [key, withoutUndefined(held)]));
}
