/** What the sink remembers of jobs, in tables of the database itself: see docs/design/duckdb-commit.md. */
import type { Epoch, Fill, Json, SinkJob, SinkRecord, Split, SplitRecord, TablePlan } from '@sluice/sdk';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';

const TABLES = [
  'CREATE TABLE IF NOT EXISTS main._sluice_identity (id VARCHAR NOT NULL)',
  'CREATE TABLE IF NOT EXISTS main._sluice_jobs (job VARCHAR NOT NULL, source VARCHAR NOT NULL, fence BIGINT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS main._sluice_streams
    (job VARCHAR NOT NULL, stream VARCHAR NOT NULL, generation BIGINT NOT NULL, published BOOLEAN NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS main._sluice_commits
    (job VARCHAR NOT NULL, split VARCHAR NOT NULL, generation BIGINT NOT NULL, epoch BIGINT NOT NULL,
     position VARCHAR NOT NULL, sealed BOOLEAN NOT NULL, spec VARCHAR NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS main._sluice_fills
    (job VARCHAR NOT NULL, stream VARCHAR NOT NULL, target VARCHAR NOT NULL, name VARCHAR NOT NULL, id VARCHAR NOT NULL)`,
];

/** Those that hold rows of jobs. */
export const RECORD_TABLES = ['_sluice_commits', '_sluice_fills', '_sluice_streams', '_sluice_jobs'] as const;

/** Makes the record tables; a no-op when they are there. */
export async function createRecords(session: Session): Promise<void> {
  for (const sql of TABLES) await session.run(sql, 'create the record tables');
}

export function recordsExist(session: Session): Promise<boolean> {
  return recordExists(session, '_sluice_identity');
}

async function recordExists(session: Session, table: string): Promise<boolean> {
  const made = await session.rows(
    "SELECT 1 AS made FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = $1 AND NOT temporary",
    'look for the record tables',
    [table],
  );
  return made.length > 0;
}

/** The identity that is stored in the database, if one is. */
export async function storedIdentity(session: Session): Promise<string | undefined> {
  if (!(await recordsExist(session))) return undefined;
  const [row] = await session.rows('SELECT id FROM main._sluice_identity', 'read the identity');
  return row?.['id'] as string | undefined;
}

export async function storeIdentity(session: Session, id: string): Promise<void> {
  await session.run(
    'INSERT INTO main._sluice_identity SELECT $1 WHERE NOT EXISTS (FROM main._sluice_identity)',
    'store the identity',
    [id],
  );
}

/** The fence of a job; undefined when the database has never seen it. */
export async function readFence(session: Session, job: string): Promise<bigint | undefined> {
  const [row] = await session.rows('SELECT fence FROM main._sluice_jobs WHERE job = $1', 'read the fence', [
    job,
  ]);
  return row && BigInt(row['fence'] as string);
}

/** Throws `SLUICE-DUCKDB-0011` when a run with a greater fence has attached. */
export async function requireFence(session: Session, job: string, fence: bigint): Promise<void> {
  const stored = await readFence(session, job);
  if (stored === fence) return;
  const held = stored === undefined ? 'none' : stored.toString();
  throw duckdbErrors.fenced(`${job}: the database has fence ${held}, this run ${fence}`, {
    details: { job },
  });
}

/** Stores a job that the database has not seen. */
export async function insertJob(session: Session, job: SinkJob): Promise<void> {
  const values = [job.id, job.source, job.fence];
  await session.run('INSERT INTO main._sluice_jobs VALUES ($1, $2, $3)', 'store the job', values);
}

export async function raiseFence(session: Session, job: SinkJob): Promise<void> {
  const sql = 'UPDATE main._sluice_jobs SET fence = $2 WHERE job = $1';
  await session.run(sql, 'raise the fence', [job.id, job.fence]);
}

/** All that is stored of a job; undefined when the database has never seen it. */
export async function readRecord(session: Session, job: string): Promise<SinkRecord | undefined> {
  const what = `read the record of ${job}`;
  const [held] = await session.rows('SELECT source, fence FROM main._sluice_jobs WHERE job = $1', what, [
    job,
  ]);
  if (held === undefined) return undefined;
  const streams = await session.rows('SELECT * FROM main._sluice_streams WHERE job = $1', what, [job]);
  const splits = await session.rows('SELECT * FROM main._sluice_commits WHERE job = $1', what, [job]);
  return {
    source: held['source'] as string,
    fence: BigInt(held['fence'] as string),
    streams: Object.fromEntries(
      streams.map((row) => [
        row['stream'] as string,
        { generation: Number(row['generation']), published: row['published'] as boolean },
      ]),
    ),
    splits: Object.fromEntries(splits.map((row) => [row['split'] as string, splitRecord(row)])),
  };
}

function splitRecord(row: { readonly [column: string]: unknown }): SplitRecord {
  return {
    split: JSON.parse(row['spec'] as string) as Split,
    generation: Number(row['generation']),
    epoch: Number(row['epoch']),
    position: JSON.parse(row['position'] as string) as Json,
    sealed: row['sealed'] as boolean,
  };
}

/** Stores streams and splits as the ledger has them. What the database has of the same generation is never set back. */
export async function adoptRecord(
  session: Session,
  job: string,
  record: Pick<SinkRecord, 'streams' | 'splits'>,
): Promise<void> {
  const known = await readRecord(session, job);
  for (const [stream, { generation, published }] of Object.entries(record.streams)) {
    const held = known?.streams[stream];
    const kept = held?.generation === generation && held.published;
    await writeStream(session, job, stream, generation, published || kept);
  }
  const renewed = new Map(
    Object.entries(record.streams).map(([stream, { generation }]) => [stream, generation]),
  );
  for (const [id, held] of Object.entries(known?.splits ?? {})) {
    const passed = held.split.streams.some(
      (stream) => (renewed.get(stream) ?? held.generation) !== held.generation,
    );
    if (passed) await deleteSplit(session, job, id);
  }
  for (const [id, split] of Object.entries(record.splits)) {
    const held = known?.splits[id];
    if (held?.generation === split.generation && held.epoch >= split.epoch) continue;
    await deleteSplit(session, job, id);
    await insertSplit(session, job, id, split);
  }
}

/** Stores a stream's generation and whether it is published. */
export async function writeStream(
  session: Session,
  job: string,
  stream: string,
  generation: number,
  published: boolean,
): Promise<void> {
  const what = `record generation ${generation} of ${stream}`;
  await session.run('DELETE FROM main._sluice_streams WHERE job = $1 AND stream = $2', what, [job, stream]);
  const values = [job, stream, BigInt(generation), published];
  await session.run('INSERT INTO main._sluice_streams VALUES ($1, $2, $3, $4)', what, values);
}

/** The columns that a table was filled in for a stream, with what they are at the source. */
export async function filledColumns(
  session: Session,
  stream: string,
  target: string,
): Promise<ReadonlyMap<string, string>> {
  if (!(await recordExists(session, '_sluice_fills'))) return new Map();
  const rows = await session.rows(
    'SELECT name, id FROM main._sluice_fills WHERE stream = $1 AND target = $2',
    `look for columns of ${target} that were filled`,
    [stream, target],
  );
  return new Map(rows.map((row) => [row['name'] as string, row['id'] as string]));
}

/** Remembers what a column was filled with; replaces what is known of another under its name. */
export async function recordFill(
  session: Session,
  job: string,
  { stream, target }: Pick<TablePlan, 'stream' | 'target'>,
  { column, id }: Pick<Fill, 'column' | 'id'>,
): Promise<void> {
  const what = `record that ${column} of ${target} is filled`;
  const place = [stream, target, column];
  await session.run(
    'DELETE FROM main._sluice_fills WHERE stream = $1 AND target = $2 AND name = $3',
    what,
    place,
  );
  await session.run('INSERT INTO main._sluice_fills VALUES ($1, $2, $3, $4, $5)', what, [job, ...place, id]);
}

/** Forgets all of a table that is made anew. */
export async function forgetFills(session: Session, target: string): Promise<void> {
  const sql = 'DELETE FROM main._sluice_fills WHERE target = $1';
  await session.run(sql, `forget what ${target} was filled with`, [target]);
}

async function deleteSplit(session: Session, job: string, id: string): Promise<void> {
  const sql = 'DELETE FROM main._sluice_commits WHERE job = $1 AND split = $2';
  await session.run(sql, `forget split ${id}`, [job, id]);
}

async function insertSplit(session: Session, job: string, id: string, record: SplitRecord): Promise<void> {
  const { generation, epoch, position, sealed, split } = record;
  const values = [
    job,
    id,
    BigInt(generation),
    BigInt(epoch),
    JSON.stringify(position),
    sealed,
    JSON.stringify(split),
  ];
  await session.run(
    'INSERT INTO main._sluice_commits VALUES ($1, $2, $3, $4, $5, $6, $7)',
    `record split ${id}`,
    values,
  );
}

/**
 * Records an epoch in the transaction of its rows. False when the database has this epoch or a later one: the
 * epoch is a repeat and its rows must be rolled back. Throws `SLUICE-DUCKDB-0012` when it has a newer generation.
 */
export async function recordEpoch(session: Session, job: string, epoch: Epoch): Promise<boolean> {
  const { split, generation, number, position, sealed } = epoch;
  const [row] = await session.rows(
    'SELECT generation, epoch FROM main._sluice_commits WHERE job = $1 AND split = $2',
    `read split ${split.id}`,
    [job, split.id],
  );
  const held = row && { generation: Number(row['generation']), epoch: Number(row['epoch']) };
  if (held && held.generation > generation) {
    throw duckdbErrors.generationPassed(
      `split ${split.id}: generation ${held.generation} has replaced ${generation}`,
      {
        details: { split: split.id },
      },
    );
  }
  if (held && held.generation === generation && held.epoch >= number) return false;
  const record = { split, generation, epoch: number, position, sealed };
  if (held === undefined) {
    await insertSplit(session, job, split.id, record);
    return true;
  }
  const values = [
    job,
    split.id,
    BigInt(generation),
    BigInt(number),
    JSON.stringify(position),
    sealed,
    JSON.stringify(split),
  ];
  await session.run(
    `UPDATE main._sluice_commits SET generation = $3, epoch = $4, position = $5, sealed = $6, spec = $7
     WHERE job = $1 AND split = $2`,
    `record epoch ${number} of ${split.id}`,
    values,
  );
  return true;
}
