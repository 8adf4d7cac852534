/** Rules of generations: a full copy that becomes visible as a whole. */
import { demandRefusal } from '../coded-error.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withGenerations, withRecord } from './sink-rule.js';
import { splitOf } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

export const generationRules: readonly SinkRule[] = [
  {
    id: 'SNK-44',
    per: 'mode',
    reads: true,
    concerns: withGenerations,
    must: 'Rows of a generation MUST be invisible until publish, and then visible all at once, in place of those before.',
    fix: 'Write into staging of its own for each generation, and let publish() swap or refill in one transaction.',
    async check(session) {
      const before = orderRange(0, 3);
      const table = await deliver(session, orders(), before);
      const splits = [splitOf('orders', 0), splitOf('orders', 1)];
      await stage(session, 2, [orderRange(10, 14), orderRange(20, 22)]);
      await session.demandRows(table, before, 'rows while generation 2 is committed and not published');
      const run = await session.run();
      await run.publish(await run.begin(orders(), { generation: 2, splits }), 2);
      await session.demandRows(
        table,
        [...orderRange(10, 14), ...orderRange(20, 22)],
        'rows after generation 2 was published',
      );
    },
  },
  {
    id: 'SNK-45',
    per: 'mode',
    reads: true,
    must: 'publish MUST be repeatable, by the same object and by others, and the record say that the generation is published.',
    fix: 'Return at once when the record has the generation as published; set that in the transaction of the swap.',
    async check(session) {
      const rows = orderRange(0, 5);
      await stage(session, 1, [rows]);
      const first = await session.run();
      const table = await first.begin(orders());
      await first.publish(table);
      await first.publish(table);
      await session.crash();
      const second = await session.run();
      if (withRecord(session)) {
        const published = second.record?.streams['orders'];
        demand(
          published?.published === true && published.generation === 1,
          () => `after publish the record says ${show(published)}`,
        );
      }
      await second.publish(await second.begin(orders()));
      await session.demandRows(table, rows, 'rows after publish was repeated');
    },
  },
  {
    id: 'SNK-46',
    per: 'mode',
    reads: true,
    concerns: withGenerations,
    must: 'Staging of other generations MUST be removed by applySchema, and never be published with a newer one.',
    fix: 'Name staging by generation, and drop every other of the job and stream in applySchema().',
    async check(session) {
      await stage(session, 1, [orderRange(0, 3)]);
      await stage(session, 2, [orderRange(10, 12)]);
      const run = await session.run();
      const table = await run.begin(orders(), { generation: 2 });
      await run.publish(table, 2);
      await session.demandRows(
        table,
        orderRange(10, 12),
        'rows of generation 2, after generation 1 was given up',
      );
      await stage(session, 3, [orderRange(20, 21)]);
      await stage(session, 4, []);
      const last = await session.run();
      await last.begin(orders(), { generation: 4 });
      await last.publish(table, 4, true);
      await session.demandRows(
        table,
        [],
        'rows of generation 4, which has none, after generation 3 was given up',
      );
    },
  },
  {
    id: 'SNK-47',
    per: 'mode',
    reads: true,
    concerns: withGenerations,
    must: 'publish of a generation without rows over a target that has some MUST be refused with a coded error, unless allowEmpty is set.',
    fix: 'Count the staged rows and look whether the target has one before swapping.',
    async check(session) {
      const table = await deliver(session, orders(), orderRange(0, 3));
      await stage(session, 2, []);
      const run = await session.run();
      await run.begin(orders(), { generation: 2 });
      await demandRefusal(run.publish(table, 2, false), 'publishing no rows over three');
      await session.demandRows(table, orderRange(0, 3), 'rows after an empty publish was refused');
      const allowed = await session.run();
      await allowed.begin(orders(), { generation: 2 });
      await allowed.publish(table, 2, true);
      await session.demandRows(table, [], 'rows after an empty publish was allowed');
      await stage(session, 3, []);
      const again = await session.run();
      await again.begin(orders(), { generation: 3 });
      await again.publish(table, 3, false);
      await session.demandRows(table, [], 'rows after nothing was published over nothing');
    },
  },
  {
    id: 'SNK-48',
    per: 'mode',
    reads: true,
    concerns: withGenerations,
    must: 'A target MUST be replaced by every new generation.',
    fix: 'Look at what the swap leaves behind: names of staging, indexes and constraints that the next one needs again.',
    async check(session) {
      for (let generation = 1; generation <= 4; generation++) {
        const rows = orderRange(generation, generation + generation);
        const table = await deliver(session, orders(), rows, { generation });
        await session.demandRows(table, rows, `rows of generation ${generation}`);
      }
    },
  },
  {
    id: 'SNK-49',
    per: 'mode',
    reads: true,
    concerns: (of) => withGenerations(of) && withRecord(of),
    must: 'A generation that a run left unfinished MUST be continued by the next: what was committed is kept.',
    fix: 'Keep the staging of the generation that applySchema() is called for.',
    async check(session) {
      const splits = [splitOf('orders', 0), splitOf('orders', 1)];
      for (let run = 0; run < 3; run++) {
        const next = await session.run();
        const table = await next.begin(orders(), { splits });
        const lane = await next.lane(table, { split: splits[run % 2]! });
        await lane.write(orderRange(run * 10, run * 10 + 3));
        await lane.commit({ position: run });
        await lane.write([order(999)]);
        await session.crash();
      }
      const last = await session.run();
      const table = await last.begin(orders(), { splits });
      demand(
        last.standOf(splits[0]!).epoch === 2,
        () => `two epochs were committed, the record stands at ${show(last.record?.splits)}`,
      );
      await last.publish(table);
      const wanted = [0, 1, 2].flatMap((run) => orderRange(run * 10, run * 10 + 3));
      await session.demandRows(table, wanted, 'rows of a generation that three runs filled');
    },
  },
  {
    id: 'SNK-50',
    per: 'mode',
    reads: true,
    concerns: ({ write }) => write === 'append' || write === 'upsert',
    must: 'In modes append and upsert rows MUST be visible with their commit, and publish MUST add and remove none.',
    fix: 'plan() says `publish: none` for these modes; publish() then only remembers that the generation is complete.',
    async check(session) {
      const run = await session.run();
      const table = await run.plan(orders(), { read: 'full' });
      demand(table.publish === 'none', `plan says publish: ${table.publish} in mode ${session.write}`);
      await run.adopt('orders', 1, [splitOf('orders')]);
      await run.applySchema(table);
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 3));
      await lane.commit({ sealed: true });
      await session.demandRows(table, orderRange(0, 3), 'rows after a commit, before publish');
      const later = await session.run();
      await later.publish(table, 1, false);
      await session.demandRows(table, orderRange(0, 3), 'rows after publish');
      const next = await session.run();
      await next.adopt('orders', 2, []);
      await next.applySchema(table, 2);
      await next.publish(table, 2, false);
      await session.demandRows(table, orderRange(0, 3), 'rows after an empty second generation');
    },
  },
  {
    id: 'SNK-51',
    per: 'mode',
    reads: true,
    concerns: ({ write }) => write === 'mirror',
    must: 'In mode mirror publish MUST delete exactly the rows whose keys are not in the generation.',
    fix: 'Remember which keys the generation has written; what it has not is deleted by publish(), not before.',
    async check(session) {
      await deliver(session, orders(), orderRange(0, 6));
      const table = await deliver(session, orders(), [...orderRange(2, 4), order(9)], { generation: 2 });
      await session.demandRows(
        table,
        [...orderRange(2, 4), order(9)],
        'rows of a mirror after its second generation',
      );
    },
  },
];

/** Commits rows of each split into a generation and publishes nothing. */
async function stage(
  session: SinkSession,
  generation: number,
  parts: readonly ReturnType<typeof orderRange>[],
): Promise<void> {
  const splits = parts.map((_, i) => splitOf('orders', i));
  const run = await session.run();
  const table = await run.begin(orders(), { generation, splits });
  for (const [i, split] of splits.entries()) {
    const lane = await run.lane(table, { split, generation });
    await lane.write(parts[i]!);
    await lane.commit({ sealed: true });
    await run.closeLane(lane);
  }
  await session.crash();
}
