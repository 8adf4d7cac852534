import { createDatabase } from './create-database.js';
import type { PostgresVersion } from './postgres-binaries.js';
import type { PostgresServer } from './postgres-server.js';
import { psql } from './psql.js';
import { ServerUnavailable } from './server-unavailable.js';

/** A PostgreSQL server that the environment names: usable, but not ours to stop or to configure. */
export class NamedPostgres implements PostgresServer {
  readonly owned = false;
  readonly #created: string[] = [];

  constructor(
    readonly version: PostgresVersion,
    readonly url: string,
  ) {}

  get host(): string {
    return new URL(this.url).hostname;
  }

  get port(): number {
    return Number(new URL(this.url).port || '5432');
  }

  psql(sql: string, url = this.url): Promise<string> {
    return psql(url, sql);
  }

  async createDatabase(): Promise<string> {
    const url = await createDatabase(this.url);
    this.#created.push(new URL(url).pathname.slice(1));
    return url;
  }

  restart(): Promise<void> {
    return Promise.reject(new ServerUnavailable(`${this.host}:${this.port} is not ours to restart`));
  }

  kill(): Promise<void> {
    return Promise.reject(new ServerUnavailable(`${this.host}:${this.port} is not ours to kill`));
  }

  log(): Promise<string> {
    return Promise.resolve('');
  }

  async stop(): Promise<void> {
    for (const name of this.#created.splice(0))
      await this.psql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
