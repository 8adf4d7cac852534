/** Clients of a server that goes down and comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '@sluice/test';

/** What psql says when the server is not there, goes away or comes back. */
const AWAY =
  /server closed|terminating connection|connection refused|database system is|could not receive|no connection|connection to server/i;

/** Undefined where the server was away for it; it is tried again until it is not, unless `again` is false. */
export async function whileThere<T>(work: () => Promise<T>, { again = true } = {}): Promise<T | undefined> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandFailed) || !AWAY.test(error.stderr)) throw error;
      if (!again) return undefined;
      await sleep(100);
    }
  }
}
