/**
 * Databases that this process has open: one DuckDB instance per file, shared by all sources and sinks of the
 * process and closed by the last. Two instances on one file destroy it, and DuckDB's own lock does not see a
 * second one in the same process; see docs/design/duckdb-commit.md.
 */
import { access, constants } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBInstance } from '@duckdb/node-api';
import { type Context, failpoint } from '@sluice/sdk';
import type { DuckdbConfig } from '../duckdb-config.js';
import { duckdbErrors } from '../errors.js';
import { RowFeeds } from '../vectors/row-feeds.js';
import { databasePath, MEMORY } from './database-path.js';
import { type Driver, loadDriver } from './driver.js';
import { openFailed } from './failure.js';
import { Lock } from './lock.js';
import { isOpenHere } from './open-files.js';
import { Session } from './session.js';

/** Beneath this DuckDB cannot hold the row groups that two threads write at once. */
const LEAST_MEMORY = 128 << 20;
/** How long one who writes waits for those who read to let go; their verbs are short. */
const WAIT_FOR_READERS_MS = 5_000;

export class Database {
  /** Held by every verb that changes records, tables or visible rows, and by the last part of commits. */
  readonly lock = new Lock();
  readonly feeds: RowFeeds;

  private constructor(
    readonly path: string,
    readonly readOnly: boolean,
    readonly driver: Driver,
    private readonly instance: DuckDBInstance,
    /** The connection of those who hold the lock. */
    readonly control: Session,
  ) {
    this.feeds = new RowFeeds(driver, control.connection);
  }

  static async open(path: string, readOnly: boolean, options: { [name: string]: string }): Promise<Database> {
    const driver = await loadDriver();
    const instance = await driver.api.DuckDBInstance.create(path, options);
    return new Database(path, readOnly, driver, instance, await connectTo(instance));
  }

  /** A new connection. Times with a zone are shown and read as UTC. */
  async connect(): Promise<Session> {
    return connectTo(this.instance);
  }

  /** Folds the write-ahead log into the file, off the main thread, and closes. */
  async close(): Promise<void> {
    if (!this.readOnly) {
      failpoint('duckdb.checkpoint');
      // Closing would do it too, but on the main thread. When it fails, the log simply stays.
      await this.control.run('CHECKPOINT', 'checkpoint').catch(() => undefined);
    }
    this.control.close();
    this.instance.closeSync();
  }
}

async function connectTo(instance: DuckDBInstance): Promise<Session> {
  const session = new Session(await instance.connect());
  await session.run("SET TimeZone = 'UTC'", 'set the time zone');
  return session;
}

/** A share in an open database. */
export interface DatabaseLease {
  readonly database: Database;
  /** Gives the share back; the last one closes the file. Harmless when repeated. */
  release(): Promise<void>;
}

/** One file's place in the registry. Its lock orders opening and closing. */
interface Slot {
  readonly lock: Lock;
  database?: Database;
  holders: number;
}

const REGISTRY = Symbol.for('sluice.duckdb.databases');

function slotOf(path: string): Slot {
  const home = globalThis as { [REGISTRY]?: Map<string, Slot> };
  home[REGISTRY] ??= new Map();
  let slot = home[REGISTRY].get(path);
  if (slot === undefined) {
    slot = { lock: new Lock(), holders: 0 };
    home[REGISTRY].set(path, slot);
  }
  return slot;
}

/**
 * Opens a connection's database, or shares the instance that is open. Memory and threads are those of whoever
 * opened it. Throws coded errors for everything that keeps the file from being opened.
 */
export async function openDatabase(config: DuckdbConfig, write: boolean, c: Context): Promise<DatabaseLease> {
  const path = await databasePath(config, c);
  if (path === MEMORY) throw duckdbErrors.memoryDatabase('a database in memory was given as path');
  const slot = slotOf(path);
  const patience = performance.now() + WAIT_FOR_READERS_MS;
  for (;;) {
    const lease = await slot.lock.run(() => join(slot, path, config, write, c));
    if (lease !== undefined) return lease;
    if (performance.now() > patience)
      throw duckdbErrors.heldForReading(`${path} is being read`, { details: { path } });
    await sleep(20, undefined, { signal: c.signal });
  }
}

/** A share in the slot's database, opened if need be; undefined when it is open for reading and must be written. */
async function join(
  slot: Slot,
  path: string,
  config: DuckdbConfig,
  write: boolean,
  c: Context,
): Promise<DatabaseLease | undefined> {
  if (slot.database?.readOnly && write) return undefined;
  slot.database ??= await openFile(path, config, write, c);
  slot.holders++;
  const { database } = slot;
  let released = false;
  return {
    database,
    async release() {
      if (released) return;
      released = true;
      await slot.lock.run(async () => {
        if (--slot.holders > 0) return;
        delete slot.database;
        await database.close();
      });
    },
  };
}

async function openFile(path: string, config: DuckdbConfig, write: boolean, c: Context): Promise<Database> {
  if (await isOpenHere(path))
    throw duckdbErrors.openedElsewhere(`${path} is open in this process`, { details: { path } });
  const options: { [name: string]: string } = {
    access_mode: write ? 'READ_WRITE' : 'READ_ONLY',
    memory_limit: config.memory ?? `${Math.max(c.memory, LEAST_MEMORY)}B`,
    // Nothing is fetched from the network behind the user's back.
    autoinstall_known_extensions: 'false',
    ...(config.threads !== undefined && { threads: String(config.threads) }),
  };
  try {
    return await Database.open(path, !write, options);
  } catch (error) {
    throw openFailed(error, path);
  }
}

/** Whether the database file exists. Looks at the folder only: see `open-files.ts`. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
