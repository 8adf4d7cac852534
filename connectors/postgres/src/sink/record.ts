/** What the sink remembers of a job: fence, generations, positions. See docs/design/postgres-commit.md. */
import {
  type Epoch,
  failpoint,
  type Json,
  type SinkJob,
  type SinkRecord,
  type Split,
  type SplitRecord,
  type StreamRecord,
} from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { literal } from '../quote.js';
import { checkFence, holdFence, underFence } from './fence.js';
import type { RecordTables } from './record-tables.js';

/** Raises the fence and reads the record, with the fence as it was found; undefined when the job is new here. */
export async function attach(
  session: Session,
  tables: RecordTables,
  job: SinkJob,
): Promise<SinkRecord | undefined> {
  await tables.create(session);
  try {
    const record = await raiseFence(session, tables, job);
    failpoint('postgres.attach.before');
    await session.commit();
    failpoint('postgres.attach.after');
    return record;
  } catch (error) {
    await session.rollback();
    throw error;
  }
}

async function raiseFence(
  session: Session,
  tables: RecordTables,
  job: SinkJob,
): Promise<SinkRecord | undefined> {
  const id = literal(job.id);
  const created = await session.query(
    `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
     INSERT INTO ${tables.jobs} (job, source, fence) VALUES (${id}, ${literal(job.source)}, ${job.fence})
     ON CONFLICT (job) DO NOTHING`,
    undefined,
    `attaching ${job.id}`,
  );
  if (created.count === 1) return undefined;
  const waiting = `attaching ${job.id}: waiting for commits of an earlier run`;
  const [held] = await session.rows(
    `SELECT source, fence FROM ${tables.jobs} WHERE job = ${id} FOR UPDATE`,
    undefined,
    waiting,
  );
  const found = BigInt(held![1]!);
  if (found < job.fence)
    await session.query(`UPDATE ${tables.jobs} SET fence = ${job.fence} WHERE job = ${id}`);
  return {
    source: held![0]!,
    fence: found,
    streams: await streamsOf(session, tables, job.id),
    splits: await splitsOf(session, tables, job.id),
  };
}

async function streamsOf(
  session: Session,
  tables: RecordTables,
  job: string,
): Promise<{ [stream: string]: StreamRecord }> {
  const rows = await session.rows(
    `SELECT stream, generation, published FROM ${tables.streams} WHERE job = $1`,
    [job],
  );
  return Object.fromEntries(
    rows.map(([stream, generation, published]) => [
      stream!,
      { generation: Number(generation), published: published === 't' },
    ]),
  );
}

async function splitsOf(
  session: Session,
  tables: RecordTables,
  job: string,
): Promise<{ [split: string]: SplitRecord }> {
  const rows = (await session.rows(
    `SELECT split, generation, epoch, position, sealed, split_spec FROM ${tables.commits} WHERE job = $1`,
    [job],
  )) as string[][];
  return Object.fromEntries(
    rows.map(([id, generation, epoch, position, sealed, split]) => [
      id!,
      {
        split: JSON.parse(split!) as Split,
        generation: Number(generation),
        epoch: Number(epoch),
        position: JSON.parse(position!) as Json,
        sealed: sealed === 't',
      },
    ]),
  );
}

/** Stores generations and splits; positions of the same generation are never set back. */
export async function adopt(
  session: Session,
  tables: RecordTables,
  job: SinkJob,
  record: Pick<SinkRecord, 'streams' | 'splits'>,
): Promise<void> {
  await tables.create(session);
  await session.query(
    `INSERT INTO ${tables.jobs} (job, source, fence) VALUES ($1, $2, $3) ON CONFLICT (job) DO NOTHING`,
    [job.id, job.source, String(job.fence)],
  );
  await underFence(session, tables, job, async () => {
    await session.query(`UPDATE ${tables.jobs} SET source = $2 WHERE job = $1 AND source <> $2`, [
      job.id,
      job.source,
    ]);
    await storeStreams(session, tables, job.id, record.streams);
    await forgetSplits(session, tables, job.id, record);
    await storeSplits(session, tables, job.id, record.splits);
    failpoint('postgres.adopt.before');
  });
}

async function storeStreams(
  session: Session,
  tables: RecordTables,
  job: string,
  streams: SinkRecord['streams'],
): Promise<void> {
  const rows = Object.entries(streams).map(([stream, state]) => ({ stream, ...state }));
  await session.query(
    `INSERT INTO ${tables.streams} AS s (job, stream, generation, published)
     SELECT $1, stream, generation, published
     FROM pg_catalog.json_to_recordset($2::json) AS r (stream text, generation bigint, published bool)
     ON CONFLICT (job, stream) DO UPDATE SET generation = excluded.generation,
       published = excluded.published OR (s.published AND s.generation = excluded.generation)
     WHERE s.generation <> excluded.generation OR s.published < excluded.published`,
    [job, JSON.stringify(rows)],
  );
}

/** Splits of the record's streams that belong to other generations of them. */
async function forgetSplits(
  session: Session,
  tables: RecordTables,
  job: string,
  record: Pick<SinkRecord, 'streams'>,
): Promise<void> {
  const stale = Object.entries(await splitsOf(session, tables, job)).filter(([, { split, generation }]) =>
    split.streams.some((stream) => {
      const kept = record.streams[stream]?.generation;
      return kept !== undefined && kept !== generation;
    }),
  );
  if (stale.length === 0) return;
  await session.query(
    `DELETE FROM ${tables.commits} WHERE job = $1
     AND split IN (SELECT pg_catalog.json_array_elements_text($2::json))`,
    [job, JSON.stringify(stale.map(([id]) => id))],
  );
}

async function storeSplits(
  session: Session,
  tables: RecordTables,
  job: string,
  splits: SinkRecord['splits'],
): Promise<void> {
  const rows = Object.entries(splits).map(([id, { split, position, ...place }]) => ({
    ...place,
    split: id,
    position: JSON.stringify(position),
    split_spec: JSON.stringify(split),
  }));
  await session.query(
    `INSERT INTO ${tables.commits} AS c (job, split, generation, epoch, position, sealed, split_spec)
     SELECT $1, split, generation, epoch, position::json, sealed, split_spec::json
     FROM pg_catalog.json_to_recordset($2::json)
       AS r (split text, generation bigint, epoch bigint, position text, sealed bool, split_spec text)
     ON CONFLICT (job, split) DO UPDATE SET generation = excluded.generation, epoch = excluded.epoch,
       position = excluded.position, sealed = excluded.sealed, split_spec = excluded.split_spec
     WHERE c.generation <> excluded.generation OR c.epoch < excluded.epoch`,
    [job, JSON.stringify(rows)],
  );
}

/**
 * In the transaction of an epoch: holds and checks the fence, and says whether the epoch is new. Throws
 * `SLUICE-PG-0024` and `SLUICE-PG-0026`.
 */
export async function isNewEpoch(
  session: Session,
  tables: RecordTables,
  job: SinkJob,
  epoch: Epoch,
): Promise<boolean> {
  const where = `job = ${literal(job.id)} AND split = ${literal(epoch.split.id)}`;
  const results = await session.script(
    `${holdFence(tables, job.id)}; SELECT generation, epoch FROM ${tables.commits} WHERE ${where} FOR UPDATE`,
    `committing epoch ${epoch.number} of ${epoch.split.id}`,
  );
  checkFence(results[0]!.rows, job.id, epoch.fence);
  const [found] = results[1]!.rows;
  if (found === undefined) return true;
  const [generation, number] = found.map(Number);
  if (generation! > epoch.generation) {
    throw pgErrors.staleGeneration(
      `${epoch.split.id}: the target is in generation ${generation}, the epoch belongs to ${epoch.generation}`,
      { details: { split: epoch.split.id, generation: generation!, ours: epoch.generation } },
    );
  }
  return generation! < epoch.generation || number! < epoch.number;
}

/** The statement that writes an epoch's place. */
export function storeEpoch(tables: RecordTables, job: SinkJob, epoch: Epoch): string {
  const { split, generation, number, position, sealed } = epoch;
  const values = [
    literal(job.id),
    literal(split.id),
    generation,
    number,
    literal(JSON.stringify(position)),
    sealed,
    literal(JSON.stringify(split)),
  ];
  return `INSERT INTO ${tables.commits} (job, split, generation, epoch, position, sealed, split_spec)
    VALUES (${values.join(', ')})
    ON CONFLICT (job, split) DO UPDATE SET generation = excluded.generation, epoch = excluded.epoch,
      position = excluded.position, sealed = excluded.sealed, split_spec = excluded.split_spec`;
}
