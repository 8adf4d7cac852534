/**
 * The file behind a SQLite ledger: opening it without harming what is not a ledger, transactions that wait for other
 * processes without blocking this one, and SQLite's errors as ours.
 *
 * The driver has sharp edges that this file and its callers keep away from: booleans as parameters and missing
 * parameters abort the process, integers beyond 2^53 come back rounded unless they are read as text.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isSluiceError } from '@sluice/sdk';
import type Database from 'libsql';
import { coreErrors } from '../errors.js';
import { APPLICATION_ID, SCHEMA_SQL, SCHEMA_VERSION, UPGRADES } from './sqlite-schema.js';

/** How long SQLite itself waits for a lock; this blocks the event loop, so it is short. */
const NATIVE_WAIT_MS = 100;

export interface SqliteFileOptions {
  readonly readOnly: boolean;
  /** How long a transaction is tried in all before the ledger is called busy. */
  readonly patienceMs: number;
  /** Epoch milliseconds, noted in a ledger that is made. */
  readonly now: number;
}

/** What can be bound: nothing else, see above. */
export type SqlValue = string | number | bigint | null;
export type SqlRow = { readonly [column: string]: SqlValue };

export class SqliteFile {
  private readonly statements = new Map<string, Database.Statement>();
  private writes = 0;

  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
    private readonly options: SqliteFileOptions,
  ) {}

  /** Opens or creates the file. Throws ledgerNewer or ledgerUnusable and has then changed nothing in it. */
  static async open(path: string, options: SqliteFileOptions): Promise<SqliteFile> {
    const absolute = resolve(path);
    const { readOnly } = options;
    if (readOnly) requireFile(absolute);
    else makeFolder(absolute);
    const { default: Driver } = await import('libsql');
    const address = readOnly ? `${pathToFileURL(absolute).href}?mode=ro` : absolute;
    let database: Database.Database;
    try {
      database = new Driver(address, { timeout: NATIVE_WAIT_MS });
    } catch (error) {
      throw translated(error, absolute);
    }
    const file = new SqliteFile(absolute, database, options);
    try {
      await file.patiently(() => file.prepareTables());
    } catch (error) {
      file.abandon();
      throw error;
    }
    return file;
  }

  /** One transaction that may write. `work` runs whole or not at all, and again when another process was faster. */
  async write<T>(work: () => T): Promise<T> {
    if (this.options.readOnly)
      throw coreErrors.ledgerMisused(`the ledger ${this.path} was opened for reading only`);
    return this.patiently(() => {
      this.writes++;
      return this.transaction('IMMEDIATE', work);
    });
  }

  /** One transaction that reads a state of one instant. */
  async read<T>(work: () => T): Promise<T> {
    return this.patiently(() => this.transaction('DEFERRED', work));
  }

  /** Another one whenever this or any other process may have written since; to be asked within a transaction. */
  get version(): string {
    return `${this.writes}/${this.get('PRAGMA data_version')!['data_version']}`;
  }

  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.statement(sql).get(values) as SqlRow | undefined;
  }
  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.statement(sql).all(values) as SqlRow[];
  }
  run(sql: string, ...values: SqlValue[]): void {
    this.statement(sql).run(values);
  }

  /** Closes a ledger; what the log beside the file holds moves into the file, so that a copy of it is whole. */
  close(): void {
    if (!this.database.open) return;
    try {
      if (!this.options.readOnly) this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // Another process works with the ledger, or the disk is full: the log stays, and nothing is lost.
      if (resultCode(error) === undefined) throw error;
    } finally {
      this.abandon();
    }
  }

  /** Closes the file and touches nothing. */
  private abandon(): void {
    this.statements.clear();
    this.database.close();
  }

  private statement(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private transaction<T>(mode: 'IMMEDIATE' | 'DEFERRED', work: () => T): T {
    if (!this.database.open) throw coreErrors.ledgerMisused(`the ledger ${this.path} is closed`);
    this.database.exec(`BEGIN ${mode}`);
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has already rolled back after some failures (a full disk, say); then there is nothing to undo.
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  private async patiently<T>(attempt: () => T): Promise<T> {
    const until = performance.now() + this.options.patienceMs;
    for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error)) throw translated(error, this.path);
        if (performance.now() >= until) throw busy(this.path, this.options.patienceMs, error);
      }
      await sleep(wait);
    }
  }

  private prepareTables(): void {
    const { readOnly, now } = this.options;
    const state = this.inspect();
    if (state === 'empty' && readOnly) throw unusable(this.path, 'it is empty');
    if (!readOnly) {
      this.database.pragma('journal_mode = WAL');
      this.database.pragma('synchronous = FULL');
    }
    if (state === 'older' && readOnly) throw unusable(this.path, OLDER);
    if (state === 'empty') this.transaction('IMMEDIATE', () => this.create(now));
    if (state === 'older') this.transaction('IMMEDIATE', () => this.upgrade());
  }

  /** Reads only. Throws for a file that is not a ledger of this version. */
  private inspect(): 'empty' | 'ledger' | 'older' {
    const id = Number(this.database.prepare('PRAGMA application_id').get()?.['application_id' as never]);
    if (id !== APPLICATION_ID) {
      const { tables } = this.database
        .prepare('SELECT count(*) AS tables FROM sqlite_master')
        .get() as SqlRow;
      if (id === 0 && tables === 0) return 'empty';
      throw unusable(this.path, 'it is a database of something else');
    }
    const row = this.database.prepare(`SELECT value FROM meta WHERE key = 'version'`).get() as
      | SqlRow
      | undefined;
    const version = Number(row?.['value']);
    if (version > SCHEMA_VERSION) {
      throw coreErrors.ledgerNewer(
        `${this.path} is of version ${version}; this program knows versions up to ${SCHEMA_VERSION}`,
        { details: { path: this.path, version, known: SCHEMA_VERSION } },
      );
    }
    if (version in UPGRADES) return 'older';
    if (version !== SCHEMA_VERSION) throw unusable(this.path, 'its version cannot be read');
    return 'ledger';
  }

  private upgrade(): void {
    if (this.inspect() === 'ledger') return; // another process was faster
    const row = this.database.prepare(`SELECT value FROM meta WHERE key = 'version'`).get() as SqlRow;
    for (let version = Number(row['value']); version < SCHEMA_VERSION; version++) {
      this.database.exec(UPGRADES[version]!);
    }
    this.run(`UPDATE meta SET value = ? WHERE key = 'version'`, `${SCHEMA_VERSION}`);
  }

  private create(now: number): void {
    if (this.inspect() === 'ledger') return; // another process was faster
    this.database.exec(SCHEMA_SQL);
    this.database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    this.run(
      'INSERT INTO meta VALUES (?, ?), (?, ?)',
      'version',
      `${SCHEMA_VERSION}`,
      'thinned_at',
      `${now}`,
    );
  }
}

function requireFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw unusable(path, 'there is no such file');
}

/** Makes the file's folder, which version control should not see. */
function makeFolder(path: string): void {
  const folder = dirname(path);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw unusable(path, 'it is a folder');
    const made = mkdirSync(folder, { recursive: true });
    if (made === undefined && basename(folder) !== '.sluice') return;
    writeFileSync(join(folder, '.gitignore'), '*\n', { flag: 'wx' });
    syncFolder(dirname(made ?? folder));
  } catch (error) {
    if (isSluiceError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw unusable(path, `its folder cannot be made: ${message}`, error);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw unusable(path, `${folder} is not a folder`, error);
    }
  }
}

/** Makes a new entry of a folder outlive a power cut. Not every platform can; SQLite syncs the file itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const OLDER = 'an older version wrote it; run its job once, which brings it up to date';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) that speak of the file, in words. */
const REASONS: { readonly [code: number]: string } = {
  3: 'access to it is not permitted',
  8: 'it cannot be written: the file, its folder or its disk is read-only',
  10: 'reading or writing it failed',
  11: 'its content is damaged',
  14: 'it cannot be opened: its folder is missing or access is not permitted',
  15: 'its lock cannot be taken',
  22: 'it has grown larger than its file system allows',
  23: 'access to it is not permitted',
  26: 'it is not a database',
};

/** SQLITE_FULL. */
const FULL = 13;

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { rawCode } = error as Error & { rawCode?: number };
  if (typeof rawCode === 'number') return rawCode & 0xff;
  // What fails at opening comes as text that ends in the code.
  const at = /^ConnectionFailed\(.*: (\d+)"\)$/s.exec(error.message);
  return at === null ? undefined : Number(at[1]) & 0xff;
}

function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === 5 || code === 6;
}

function translated(error: unknown, path: string): unknown {
  if (isSluiceError(error)) return error;
  const code = resultCode(error) ?? 0;
  if (code === FULL) {
    const what = `the ledger ${path} cannot be written: its disk is full (${String(error)})`;
    return coreErrors.ledgerFull(what, { cause: error, details: { path } });
  }
  const reason = REASONS[code];
  return reason === undefined ? error : unusable(path, reason, error);
}

function busy(path: string, patienceMs: number, cause: unknown): Error {
  return coreErrors.ledgerBusy(`the ledger ${path} was locked for ${patienceMs / 1000} s`, {
    cause,
    details: { path },
  });
}

function unusable(path: string, reason: string, cause?: unknown): Error {
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  return coreErrors.ledgerUnusable(`the ledger ${path} cannot be used: ${reason}${detail}`, {
    cause,
    details: { path },
  });
}
