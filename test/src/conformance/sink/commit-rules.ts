/** Rules of commits: what becomes visible when, and where the record then stands. */
import { isDeepStrictEqual } from 'node:util';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { AWKWARD_POSITIONS } from './adopt-rules.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { type SinkLane, type SinkRun, splitOf } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

export const commitRules: readonly SinkRule[] = [
  {
    id: 'SNK-24',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'Rows that were written and not committed MUST NOT become visible, and the record MUST NOT move.',
    fix: 'Write into a transaction or into a staging area; close() without commit() forgets it.',
    async check(session) {
      const schema = orders();
      const before = orderRange(0, 2);
      await deliver(session, schema, before);
      const run = await session.run();
      const table = await run.begin(schema, { generation: 2 });
      const lane = await run.lane(table, { generation: 2 });
      await lane.write(orderRange(2, 5));
      await session.crash();
      const next = await session.run();
      demand(
        (next.record?.splits['orders/0']?.epoch ?? 0) === 0,
        () => `nothing of generation 2 was committed, the record says ${show(next.record?.splits)}`,
      );
      const kept = session.usesGenerations ? [] : before;
      await finish(session, 2);
      await session.demandRows(table, kept, 'rows after a writer was closed without commit');
    },
  },
  {
    id: 'SNK-25',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'abort MUST forget everything since the last commit and nothing else, and the writer goes on.',
    fix: 'Roll back, or throw the staged rows away, and begin anew at the next write().',
    async check(session) {
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.writer.abort();
      await lane.write(orderRange(0, 3));
      await lane.commit();
      await lane.write(orderRange(3, 6));
      await lane.writer.abort();
      await lane.write(orderRange(6, 9));
      await lane.commit();
      await lane.write(orderRange(9, 12));
      await lane.writer.abort();
      await finish(session);
      await session.demandRows(
        table,
        [...orderRange(0, 3), ...orderRange(6, 9)],
        'rows of two commits, with aborted ones between',
      );
    },
  },
  {
    id: 'SNK-26',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'A commit MUST make the rows and the record durable together: epoch, generation, position, sealed and split as the epoch says.',
    fix: 'Write the record in the transaction (or manifest) of the rows.',
    async check(session) {
      const first = await session.run();
      const splits = [splitOf('orders', 0), splitOf('orders', 1)];
      const table = await first.begin(orders(), { splits });
      for (const [i, split] of splits.entries()) {
        const lane = await first.lane(table, { split });
        await lane.write(orderRange(i * 10, i * 10 + 2));
        await demandCommitted(session, lane, { position: { at: i } });
        await lane.write(orderRange(i * 10 + 2, i * 10 + 3));
        await demandCommitted(session, lane, { position: { end: i }, sealed: i === 0 });
      }
      await session.crash();
      const { record } = await session.run();
      for (const [i, split] of splits.entries()) {
        const wanted = { split, generation: 1, epoch: 2, position: { end: i }, sealed: i === 0 };
        const found = record?.splits[split.id];
        demand(
          isDeepStrictEqual(found, wanted),
          () => `the record of split ${split.id} is ${show(found)}, committed was ${show(wanted)}`,
        );
      }
      await finish(session);
      await session.demandRows(
        table,
        [...orderRange(0, 3), ...orderRange(10, 13)],
        'rows of two splits with two epochs each',
      );
    },
  },
  {
    id: 'SNK-27',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'Committing an epoch number that is committed MUST change nothing: the reply to the first may have been lost.',
    fix: 'Compare `epoch.number` with the record of the split and generation in the transaction, and drop rows of an epoch that is there.',
    async check(session) {
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 3));
      await lane.commit({ position: 'first' });
      await lane.commit({ position: 'first', number: 1 });
      await lane.write(orderRange(3, 5));
      await lane.commit({ position: 'second' });
      await session.crash();

      const again = await session.run();
      const same = await again.lane(await again.begin(orders()));
      await same.write(orderRange(3, 5));
      await same.commit({ position: 'second', number: 2 });
      await same.write(orderRange(5, 6));
      await same.commit({ position: 'third', number: 3 });
      await session.crash();
      const { record } = await session.run();
      const stands = record?.splits['orders/0'];
      demand(
        stands?.epoch === 3 && stands.position === 'third',
        () => `the record stands at ${show(stands)} after epoch 3`,
      );
      await finish(session);
      await session.demandRows(
        table,
        orderRange(0, 6),
        'rows of epochs 1 to 3, of which 1 and 2 were committed twice',
      );
    },
  },
  {
    id: 'SNK-28',
    per: 'mode',
    concerns: withRecord,
    must: 'Positions MUST come back from attach exactly as they were committed, whatever JSON they are.',
    fix: 'Store the position as JSON text; types that normalise JSON reorder keys or round numbers.',
    async check(session) {
      const run = await session.run();
      const splits = AWKWARD_POSITIONS.map((_, i) => splitOf('orders', i));
      const table = await run.begin(orders(), { splits });
      for (const [i, split] of splits.entries()) {
        const lane = await run.lane(table, { split });
        await lane.write([order(i)]);
        await lane.commit({ position: AWKWARD_POSITIONS[i]! });
        await run.closeLane(lane);
      }
      await session.crash();
      const { record } = await session.run();
      for (const [i, { id }] of splits.entries()) {
        const found = record?.splits[id]?.position;
        demand(
          isDeepStrictEqual(found, AWKWARD_POSITIONS[i]),
          () => `position ${show(AWKWARD_POSITIONS[i])} came back as ${show(found)}`,
        );
      }
    },
  },
  {
    id: 'SNK-29',
    per: 'mode',
    reads: true,
    must: 'Epochs and batches without rows MUST be committed like others, and a writer MUST take epochs as long as it is open.',
    fix: 'An epoch may only move the position; do not take the number of rows for the number of epochs.',
    async check(session) {
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.commit({ position: 'nothing yet' });
      await lane.write([]);
      await lane.commit({ position: 'still nothing' });
      await session.crash();
      await demandStand(session, 2, 'still nothing');

      const next = await session.run();
      const more = await next.lane(await next.begin(orders()));
      for (let i = 0; i < 5; i++) {
        await more.write([]);
        await more.write([order(i)]);
        await more.commit();
      }
      await more.commit({ position: 'the end', sealed: true });
      await session.crash();
      await demandStand(session, 8, 'the end');
      await finish(session);
      await session.demandRows(table, orderRange(0, 5), 'rows of five of eight epochs');
    },
  },
];

/** Ends the runs so far and, where the mode has generations, publishes in a new one. */
export async function finish(session: SinkSession, generation = 1): Promise<void> {
  await session.crash();
  if (!session.usesGenerations) return;
  const run: SinkRun = await session.run();
  await run.publish(await run.begin(orders(), { generation }), generation, true);
  await session.crash();
}

/** The record of a sink that has one. */
async function demandStand(session: SinkSession, epoch: number, position: string): Promise<void> {
  if (!withRecord(session)) return;
  const { record } = await session.run();
  const found = record?.splits['orders/0'];
  const isThere = found?.epoch === epoch && found.position === position;
  demand(isThere, () => `after ${epoch} epochs the record stands at ${show(found)}`);
  await session.crash();
}

async function demandCommitted(
  session: SinkSession,
  lane: SinkLane,
  options: Parameters<SinkLane['commit']>[0],
): Promise<void> {
  const ended = await outcome(lane.commit(options));
  demand(
    'value' in ended,
    () => `a commit of ${session.write} failed: ${String('error' in ended && ended.error)}`,
  );
}
