// What tests can do with a PostgreSQL server, wherever it came from.
import type { PostgresVersion } from './postgres-binaries.js';

/** What server a test wants. */
export interface PostgresOptions {
  /** The major version. */
  version: PostgresVersion;
  /** Server settings over the defaults (`wal_level=logical`, `fsync=off`, `max_connections=200`, …). */
  settings?: Record<string, string>;
}

/** A PostgreSQL server that tests may use as they like. */
export interface PostgresServer extends AsyncDisposable {
  /** The major version. */
  readonly version: PostgresVersion;
  /** Connection URL of the database `postgres`, as superuser. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Whether the server is ours to stop, kill and configure; false for one that the environment names. */
  readonly owned: boolean;
  /**
   * Runs statements with psql.
   * @param url a database of this server; by default `postgres`
   * @returns rows one a line, fields separated by `|`
   * @throws CommandFailed with psql's message
   */
  psql(sql: string, url?: string): Promise<string>;
  /** Creates an empty database with a new name and returns its URL. */
  createDatabase(): Promise<string>;
  /** Shuts down in good order and starts again on the same port with the same data, and new settings if given. */
  restart(settings?: Record<string, string>): Promise<void>;
  /** Kills the server and all its backends at once. {@link restart} brings it back, which then recovers. */
  kill(): Promise<void>;
  /** What the server has logged so far. */
  log(): Promise<string>;
  /** Stops it for good and removes its data. Also happens on dispose and when this process ends. */
  stop(): Promise<void>;
}
