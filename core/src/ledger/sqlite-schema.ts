/**
 * The tables of the SQLite ledger. Names are stored as they are, everything shaped as JSON text, fences as 64-bit
 * integers, times as epoch milliseconds. `application_id` says that a file is a ledger, `meta.version` of which shape.
 */
export const SCHEMA_VERSION = 5;

/** "SLUI" as a big-endian integer, in the header of the file (`PRAGMA application_id`). */
export const APPLICATION_ID = 0x53_4c_55_49;

/** Since version 2. */
const LETTERS_SQL = `
CREATE TABLE letters (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL, id TEXT NOT NULL, flow TEXT NOT NULL, sink TEXT NOT NULL, stream TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (job, id)
) STRICT;
`;

/** Since version 4: streams of logs that are to be copied once more. */
const COPIES_SQL = `
CREATE TABLE copy_requests (
  job TEXT NOT NULL, flow TEXT NOT NULL, stream TEXT NOT NULL,
  PRIMARY KEY (job, flow, stream)
) STRICT, WITHOUT ROWID;
`;

/** What brings a ledger of an older version to the next one, by the version that it has. */
export const UPGRADES: { readonly [version: number]: string } = {
  1: LETTERS_SQL,
  2: 'ALTER TABLE streams ADD COLUMN schema TEXT',
  3: COPIES_SQL,
  4: 'ALTER TABLE streams ADD COLUMN quarantined TEXT',
};

export const SCHEMA_SQL = `${LETTERS_SQL}${COPIES_SQL}
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  job TEXT PRIMARY KEY, fence INTEGER NOT NULL,
  run TEXT, host TEXT, pid INTEGER, process_start TEXT, expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
  job TEXT NOT NULL, flow TEXT NOT NULL, stream TEXT NOT NULL,
  generation INTEGER NOT NULL, planned INTEGER NOT NULL, schema TEXT, quarantined TEXT,
  PRIMARY KEY (job, flow, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE splits (
  job TEXT NOT NULL, flow TEXT NOT NULL, split TEXT NOT NULL,
  generation INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (job, flow, split)
) STRICT;

CREATE TABLE split_streams (
  job TEXT NOT NULL, flow TEXT NOT NULL, stream TEXT NOT NULL, split TEXT NOT NULL,
  PRIMARY KEY (job, flow, stream, split)
) STRICT, WITHOUT ROWID;

CREATE TABLE sinks (
  job TEXT NOT NULL, flow TEXT NOT NULL, sink TEXT NOT NULL,
  source TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (job, flow, sink)
) STRICT, WITHOUT ROWID;

CREATE TABLE published (
  job TEXT NOT NULL, flow TEXT NOT NULL, sink TEXT NOT NULL, stream TEXT NOT NULL,
  generation INTEGER NOT NULL, run TEXT NOT NULL,
  PRIMARY KEY (job, flow, sink, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE positions (
  job TEXT NOT NULL, flow TEXT NOT NULL, split TEXT NOT NULL, sink TEXT NOT NULL,
  generation INTEGER NOT NULL, epoch INTEGER NOT NULL, position TEXT NOT NULL, sealed INTEGER NOT NULL,
  PRIMARY KEY (job, flow, split, sink)
) STRICT;

CREATE TABLE prepared (
  job TEXT NOT NULL, flow TEXT NOT NULL, split TEXT NOT NULL, sink TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job, flow, split, sink)
) STRICT;

CREATE TABLE epochs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL, flow TEXT NOT NULL, sink TEXT NOT NULL, split TEXT NOT NULL,
  generation INTEGER NOT NULL, epoch INTEGER NOT NULL, position TEXT NOT NULL, sealed INTEGER NOT NULL,
  fence INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX epochs_by_flow ON epochs (job, flow);
CREATE INDEX epochs_by_age ON epochs (at);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE, job TEXT NOT NULL, status TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER, fence INTEGER NOT NULL, result TEXT
) STRICT;
CREATE INDEX runs_by_job ON runs (job);
`;
