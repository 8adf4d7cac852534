// PostgreSQL for tests: a server of one's own in a second, or one that the environment names.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NamedPostgres } from './named-postgres.js';
import { OwnPostgres } from './own-postgres.js';
import { type PostgresVersion, postgresBinaries } from './postgres-binaries.js';
import { createDataFolder, createStandbyFolder } from './postgres-data.js';
import type { PostgresOptions, PostgresServer } from './postgres-server.js';
import { psql, psqlPath } from './psql.js';
import { ServerUnavailable } from './server-unavailable.js';

/**
 * Starts a PostgreSQL server, or uses the one that `SLUICE_TEST_POSTGRES_URL` names if that is of the wanted
 * version and no settings are asked for. Then it looks for an installed server, then fetches one.
 * @throws ServerUnavailable with the reason when there is no way to a server here
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  psqlPath();
  const named = process.env['SLUICE_TEST_POSTGRES_URL'];
  if (named !== undefined && named !== '' && options.settings === undefined) {
    const server = await namedServer(named, options.version);
    if (server !== undefined) return server;
  }
  const binaries = await postgresBinaries(options.version);
  const server = new OwnPostgres(options, binaries, await createDataFolder(binaries));
  await server.start();
  return server;
}

/**
 * Starts a hot standby of a server that is ours: a copy that follows it and can only be read. Its settings are the
 * same but for those given.
 * @throws ServerUnavailable with the reason when there is no way to one here
 */
export async function startStandby(
  primary: PostgresServer,
  settings: Record<string, string> = {},
): Promise<PostgresServer> {
  const { version } = primary;
  const binaries = await postgresBinaries(version);
  if (!existsSync(join(binaries.folder, 'pg_basebackup')))
    throw new ServerUnavailable(`${binaries.folder} has no pg_basebackup, which copies a server`);
  const folder = await createStandbyFolder(binaries, primary);
  const server = new OwnPostgres({ version, settings: { hot_standby: 'on', ...settings } }, binaries, folder);
  await server.start();
  return server;
}

/** The server that the environment names, if it is of the wanted version. */
async function namedServer(url: string, version: PostgresVersion): Promise<PostgresServer | undefined> {
  const actual = await psql(url, "SELECT current_setting('server_version_num')::int / 10000");
  return actual === version ? new NamedPostgres(version, url) : undefined;
}
