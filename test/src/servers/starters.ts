// The servers that tests can ask for by name, and how each is started.
import { startPostgres } from './postgres.js';
import type { PostgresVersion } from './postgres-binaries.js';
import type { PostgresOptions, PostgresServer } from './postgres-server.js';

type PostgresStarter = (options?: Omit<PostgresOptions, 'version'>) => Promise<PostgresServer>;

const postgres =
  (version: PostgresVersion): PostgresStarter =>
  (options) =>
    startPostgres({ version, ...options });

/** How to start each server. Another kind of server is one line here, and one in the required list. */
export const starters = {
  'postgres-14': postgres('14'),
  'postgres-15': postgres('15'),
  'postgres-16': postgres('16'),
  'postgres-17': postgres('17'),
  'postgres-18': postgres('18'),
};

/** The name of a server that tests can ask for. */
export type ServerName = keyof typeof starters;

/** What a test gets to work with when it asks for a server. */
export type ServerOf<Name extends ServerName> = Awaited<ReturnType<(typeof starters)[Name]>>;

/** What a test may say about the server it wants. */
export type ServerOptions<Name extends ServerName> = NonNullable<Parameters<(typeof starters)[Name]>[0]>;
