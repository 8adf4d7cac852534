// Tests against a real server, which is started when they begin and stopped after the last of them.
import { afterAll, describe } from 'vitest';
import { skipUnless } from './skip-unless.js';
import { type ServerName, type ServerOf, type ServerOptions, starters } from './starters.js';

interface Stoppable {
  stop(): Promise<void>;
}

/** A server that several blocks of one test file use. */
interface Shared {
  users: number;
  started?: Promise<Stoppable>;
}

const shared = new Map<string, Shared>();

/**
 * Declares tests that need a server. Blocks of one file that ask for the same server with the same options
 * share it, so tests should work in a database or topic of their own. Where it cannot be started the tests
 * are skipped with the reason, or fail if the run requires that server.
 * @param name which server, such as `postgres-15`
 * @param body declares the tests; the function that it is given returns the server, inside tests and hooks only
 * @param options settings of the server; with any, even empty ones, it is never one that the environment names
 */
export function describeWithServer<Name extends ServerName>(
  name: Name,
  body: (server: () => ServerOf<Name>) => void,
  options?: ServerOptions<Name>,
): void {
  const key = JSON.stringify([name, options ?? null]);
  const entry = shared.get(key) ?? { users: 0 };
  shared.set(key, entry);
  describe(name, () => {
    entry.users += 1;
    let server: ServerOf<Name> | undefined;
    skipUnless(name, async () => {
      const start = starters[name] as (options?: ServerOptions<Name>) => Promise<ServerOf<Name>>;
      entry.started ??= start(options);
      server = (await entry.started) as ServerOf<Name>;
    });
    afterAll(async () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      shared.delete(key);
      await server?.stop();
    });
    body(() => {
      if (server === undefined) throw new Error(`${name} runs during tests and hooks only`);
      return server;
    });
  });
}
