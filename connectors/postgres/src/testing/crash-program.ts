/**
 * A program that copies one stream and can be killed at any failure point: run again, it takes up where the sink's
 * record says. An append whose generation is published is complete, and only its reply was lost: there is nothing left
 * to do. Arguments: URL of the source, URL of the sink, write mode.
 */
import type { SinkJob, Split, WriteMode } from '@sluice/sdk';
import { type CopyRun, collect, copySplit, planRun, readOf, testContext } from './copy-run.js';
import { openSink, openSource } from './open.js';

const [from, to, write] = process.argv.slice(2) as [string, string, WriteMode];
const c = testContext();
const source = openSource(from, { splitBytes: 64 * 8192 });
const sink = openSink(to);
const stream = 'public.orders';
const run: CopyRun = {
  source,
  sink,
  stream,
  target: stream,
  write,
  options: { chunk: 'key' },
  batchRows: 500,
};

const plan = await planRun(run, c);
const fence = BigInt(Date.now());
const job: SinkJob = { id: 'crash', source: await source.identity(c), fence };
const record = await sink.attach(job, c);
const known = record?.streams[stream];
if (!(write === 'append' && known?.published === true)) await copy();
await source.close();
await sink.close();

async function copy(): Promise<void> {
  const generation = known === undefined ? 1 : known.published ? known.generation + 1 : known.generation;
  const read = readOf(run, plan, generation);
  const kept = Object.values(record?.splits ?? {}).filter((each) => each.generation === generation);
  const planned = await collect(
    source.splits(
      [read],
      kept.map(({ split }) => split),
      c,
    ),
  );
  const fresh = (split: Split) => ({ split, generation, epoch: 0, position: split.start, sealed: false });
  const splits = [...kept, ...planned.map(fresh)];
  const stored = Object.fromEntries(splits.map((each) => [each.split.id, each]));
  await sink.adopt(job, { streams: { [stream]: { generation, published: false } }, splits: stored }, c);
  await sink.applySchema(job, plan, generation, c);
  for (const { split, epoch, position, sealed } of splits) {
    if (!sealed) await copySplit(run, { job, plan, read, split, at: position, epoch: epoch + 1 }, c);
  }
  await sink.publish(job, plan, generation, { allowEmpty: false }, c);
}
