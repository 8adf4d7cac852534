// A PostgreSQL server as a child process, with a data folder of its own.
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from './create-database.js';
import { freePort } from './free-port.js';
import type { PostgresBinaries, PostgresVersion } from './postgres-binaries.js';
import type { ServerFolder } from './postgres-data.js';
import type { PostgresOptions, PostgresServer } from './postgres-server.js';
import { psql } from './psql.js';
import { ServerProcess } from './server-process.js';
import { ServerUnavailable } from './server-unavailable.js';

const host = '127.0.0.1';
const startMs = 60_000;

/**
 * Fast, and loud enough for change data capture. `fsync=off` is safe against killed processes, which is
 * what tests do to it, and not against a power cut, which no test here can make.
 */
const defaults: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_replication_slots: '50',
  max_wal_senders: '50',
  max_prepared_transactions: '50',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** A PostgreSQL server that belongs to this process. Made by {@link startPostgres}. */
export class OwnPostgres implements PostgresServer {
  readonly version: PostgresVersion;
  readonly host = host;
  readonly owned = true;
  readonly #binaries: PostgresBinaries;
  readonly #folder: ServerFolder;
  #settings: Record<string, string>;
  #port = 0;
  #process: ServerProcess | undefined;

  constructor(options: PostgresOptions, binaries: PostgresBinaries, folder: ServerFolder) {
    this.version = options.version;
    this.#binaries = binaries;
    this.#folder = folder;
    this.#settings = { ...defaults, ...options.settings };
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `postgres://postgres@${host}:${this.#port}/postgres`;
  }

  /** Starts on a free port; another process may take that port first, so a few are tried. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#port = await freePort();
      try {
        return await this.#launch();
      } catch (error) {
        if (attempt < 3 && /Address already in use/.test(await this.log())) continue;
        await this.stop();
        throw error;
      }
    }
  }

  psql(sql: string, url = this.url): Promise<string> {
    return psql(url, sql);
  }

  createDatabase(): Promise<string> {
    return createDatabase(this.url);
  }

  async restart(settings: Record<string, string> = {}): Promise<void> {
    this.#settings = { ...this.#settings, ...settings };
    await this.#shutDown();
    await this.#launch();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async log(): Promise<string> {
    return existsSync(this.#folder.log) ? readFile(this.#folder.log, 'utf8') : '';
  }

  async stop(): Promise<void> {
    await this.#shutDown();
    await rm(this.#folder.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #launch(): Promise<void> {
    const deadline = Date.now() + startMs;
    // After a kill, a backend that is still ending holds the shared memory for a moment.
    while (!(await this.#launchOnce(deadline))) {
      const log = await this.log();
      if (Date.now() > deadline || !/pre-existing shared memory block/.test(log.slice(-1000)))
        throw new ServerUnavailable(`PostgreSQL ${this.version} did not start: ${log.slice(-1500).trim()}`);
      await sleep(100);
    }
  }

  /** Returns whether the server came up; otherwise it has ended. */
  async #launchOnce(deadline: number): Promise<boolean> {
    const settings = {
      ...this.#settings,
      port: String(this.#port),
      listen_addresses: host,
      unix_socket_directories: '',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = new ServerProcess({
      line: [join(this.#binaries.folder, 'postgres'), '-D', this.#folder.data, ...flags],
      log: this.#folder.log,
      folder: this.#folder.path,
    });
    this.#process = server;
    while (server.alive && Date.now() < deadline) {
      if (this.#isReady(server.pid)) return true;
      await sleep(10);
    }
    if (server.startError !== undefined) throw server.startError;
    await server.kill();
    return false;
  }

  /** What PostgreSQL's own pg_ctl waits for (a standby has another word for it); the file may still be that of a server which was killed. */
  #isReady(pid: number | undefined): boolean {
    try {
      const lines = readFileSync(join(this.#folder.data, 'postmaster.pid'), 'utf8').split('\n');
      return Number(lines[0]) === pid && /^(ready|standby)$/.test(lines[7]?.trim() ?? '');
    } catch {
      return false;
    }
  }

  /** Fast shutdown; immediate when a replication client keeps the server from ending. */
  async #shutDown(): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    if (!(await server.end('SIGINT', 5_000)) && !(await server.end('SIGQUIT', 5_000))) await server.kill();
    this.#process = undefined;
  }
}
