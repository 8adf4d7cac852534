import { beforeAll, beforeEach } from 'vitest';
import { isRequired } from './required.js';
import { ServerUnavailable } from './server-unavailable.js';

const longestStartMs = 300_000;

/**
 * To be called inside `describe`: prepares something once before its tests, and skips them with the reason
 * where it is unavailable, unless this run requires it.
 * @param name as in the list of what is required
 * @param prepare throws ServerUnavailable when the thing cannot be had here; any other error fails the tests
 */
export function skipUnless(name: string, prepare: () => Promise<void>): void {
  let reason: string | undefined;
  beforeAll(async () => {
    try {
      await prepare();
    } catch (error) {
      if (!(error instanceof ServerUnavailable)) throw error;
      if (isRequired(name)) throw new Error(`${name} is required here: ${error.message}`, { cause: error });
      reason = `${name} is not available: ${error.message}`;
    }
  }, longestStartMs);
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
}
