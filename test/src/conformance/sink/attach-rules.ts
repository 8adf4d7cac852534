/** Rules of fences and records: who may write, and what the sink remembers. */
import { isDeepStrictEqual } from 'node:util';
import { demandCoded } from '../coded-error.js';
import { outcome, soon } from '../patience.js';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import { demandRecord } from './adopt-rules.js';
import { deliver } from './deliver.js';
import { orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { splitOf } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

export const attachRules: readonly SinkRule[] = [
  {
    id: 'SNK-12',
    per: 'mode',
    concerns: withRecord,
    must: 'attach MUST answer undefined for a job that the sink has never seen, and from then on the record: the job’s source, the fence as it was found, and what has been adopted and committed.',
    fix: 'Store fence and source at the first attach; read the record before raising the fence, in one transaction.',
    async check(session) {
      const first = await session.run({ fence: 5n });
      demand(first.record === undefined, () => `the first attach answers ${show(first.record)}`);
      await session.crash();
      const { record } = await session.run({ fence: 8n });
      demandRecord(record, { source: 'conformance kit', fence: 5n, streams: {}, splits: {} });
      await session.crash();
      demandRecord((await session.run({ fence: 9n })).record, {
        source: 'conformance kit',
        fence: 8n,
        streams: {},
        splits: {},
      });
    },
  },
  {
    id: 'SNK-13',
    per: 'mode',
    concerns: withRecord,
    must: 'attach MUST NOT raise a fence that is not lower than the job’s: it answers with the fence that it found, as often as it is asked.',
    fix: 'Raise only when the stored fence is lower than `job.fence`; otherwise change nothing and return the record.',
    async check(session) {
      await session.run({ fence: 5n });
      for (const fence of [5n, 3n, 4n, 5n]) {
        const { record } = await session.run({ fence });
        demand(
          record?.fence === 5n,
          `the sink’s fence is 5, attach with fence ${fence} answers ${record?.fence}`,
        );
      }
      const { record } = await session.run({ fence: 6n });
      demand(
        record?.fence === 5n,
        `attach with fence 6 answers ${record?.fence}; the lower attaches before have moved the fence from 5`,
      );
      const run = await session.run({ fence: 7n });
      const again = await run.attach();
      demand(again?.fence === 7n, `attach repeated with fence 7 answers ${again?.fence}`);
    },
  },
  {
    id: 'SNK-14',
    per: 'mode',
    concerns: (of) => !withRecord(of),
    must: 'A sink that keeps no record MUST answer undefined to every attach.',
    fix: 'Return undefined from attach(); positions are in the ledger.',
    async check(session) {
      for (const fence of [5n, 6n, 6n]) {
        const { record } = await session.run({ fence });
        demand(record === undefined, () => `attach with fence ${fence} answers ${show(record)}`);
        await session.crash();
      }
      await deliver(session, orders(), orderRange(0, 3));
      const { record } = await session.run();
      demand(record === undefined, () => `attach after a commit answers ${show(record)}`);
    },
  },
  {
    id: 'SNK-15',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'A writer that was opened under an older fence MUST NOT commit after a newer attach: it is refused with a coded error, and none of its rows become visible.',
    fix: 'Check the fence in the transaction of the commit (locked in share mode), or in the same step as the manifest is switched.',
    async check(session) {
      const schema = orders();
      const old = await session.run();
      const table = await old.begin(schema, { splits: [splitOf('orders', 0), splitOf('orders', 1)] });
      const lane = await old.lane(table);
      await lane.write(orderRange(0, 5));
      await lane.commit();
      await lane.write(orderRange(5, 10));
      const next = await session.run();
      const stands = { ...next.record?.splits };
      const refused = await soon(outcome(lane.commit()), session.patienceMs, 'the zombie’s commit');
      demand('error' in refused, 'a writer under an older fence has committed after a newer attach');
      demandCoded(refused.error, 'a commit under an older fence');
      const { record } = await session.run();
      demand(
        isDeepStrictEqual(record?.splits, stands),
        () => `the refused commit has moved the record to ${show(record?.splits)}`,
      );
      await finishAndDemand(session, [...orderRange(0, 5)], 'rows after a refused commit');
    },
  },
  {
    id: 'SNK-16',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'adopt, applySchema and publish of a job whose fence has been raised over MUST change nothing.',
    fix: 'Check the fence in every verb that writes, in the same transaction.',
    async check(session) {
      const schema = orders();
      const old = await session.run();
      const table = await old.begin(schema);
      const lane = await old.lane(table);
      await lane.write(orderRange(0, 5));
      await lane.commit({ sealed: true });
      const next = await session.run();
      const before = { streams: next.record?.streams, splits: next.record?.splits };
      for (const verb of [
        () => old.adopt('orders', 9, [splitOf('orders', 7)]),
        () => old.applySchema(table, 9),
        () => old.publish(table, 1, true),
      ]) {
        const ended = await soon(outcome(verb()), session.patienceMs, 'a verb under an older fence');
        if ('error' in ended) demandCoded(ended.error, 'a verb under an older fence');
      }
      const { record } = await session.run();
      const after = { streams: record?.streams, splits: record?.splits };
      demand(
        isDeepStrictEqual(after, before),
        () => `verbs under an older fence have changed the record ${showDifference(before, after)}`,
      );
      if (session.write === 'replace')
        await session.demandRows(table, [], 'rows that a run under an older fence has published');
      await finishAndDemand(session, orderRange(0, 5), 'rows after verbs under an older fence');
    },
  },
  {
    id: 'SNK-20',
    per: 'mode',
    reads: true,
    must: 'Two jobs in one sink MUST NOT disturb each other: each has its own fence, record and generations.',
    fix: 'Key everything that the sink remembers, and names of staging, by `job.id`.',
    async check(session) {
      const [ours, theirs] = [orders('ours'), orders('theirs')];
      const one = await session.run({ job: 'one/main/sink', fence: 3n });
      const ourTable = await one.begin(ours);
      const ourLane = await one.lane(ourTable);
      await ourLane.write(orderRange(0, 4));
      const two = await session.run({ job: 'two/main/sink', fence: 9n });
      demand(two.record === undefined, () => `a second job’s first attach answers ${show(two.record)}`);
      const theirTable = await two.begin(theirs);
      const theirLane = await two.lane(theirTable);
      await theirLane.write(orderRange(10, 12));
      await ourLane.commit({ sealed: true });
      await theirLane.commit({ sealed: true });
      for (const [run, lane, table] of [
        [one, ourLane, ourTable],
        [two, theirLane, theirTable],
      ] as const) {
        await run.closeLane(lane);
        if (session.usesGenerations) await run.publish(table);
      }
      await session.demandRows(ourTable, orderRange(0, 4), 'rows of the first job');
      await session.demandRows(theirTable, orderRange(10, 12), 'rows of the second job');
      if (!withRecord(session)) return;
      const { record } = await session.run({ job: 'one/main/sink', fence: 10n });
      demand(record?.fence === 3n, `the first job’s fence is 3, the record says ${record?.fence}`);
      demand(
        isDeepStrictEqual(Object.keys(record.splits), ['ours/0']),
        () => `the first job’s record has splits ${show(Object.keys(record.splits))}`,
      );
    },
  },
  {
    id: 'SNK-21',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'The record that attach returns MUST contain every commit that succeeds, also one that is landing meanwhile.',
    fix: 'Let attach() take the fence exclusively and wait for transactions that hold it, before it reads the record.',
    async check(session) {
      const schema = orders();
      let table = await deliver(session, schema, []);
      const committed = [];
      for (let round = 1; round <= 6; round++) {
        const run = await session.run();
        table = await run.begin(schema, { generation: 2, splits: [splitOf('orders')] });
        const lane = await run.lane(table, { generation: 2 });
        const rows = orderRange(round * 10, round * 10 + 3);
        await lane.write(rows);
        const before = run.standOf(lane.split, 2).epoch;
        const landing = outcome(lane.commit());
        for (let turns = 0; turns < round; turns++) await Promise.resolve();
        const { record } = await session.run();
        const succeeded = 'value' in (await soon(landing, session.patienceMs, 'a commit beside an attach'));
        const seen = (record?.splits['orders/0']?.epoch ?? 0) > before;
        demand(
          succeeded === seen,
          succeeded
            ? 'a commit succeeded that the record of a newer attach does not have'
            : 'a commit was refused and is in the record',
        );
        if (succeeded) committed.push(...rows);
        await session.crash();
      }
      await finishAndDemand(session, committed, 'rows of the commits that succeeded', 2);
    },
  },
];

/** Publishes where that is needed, and compares what is then visible. */
async function finishAndDemand(
  session: SinkSession,
  wanted: ReturnType<typeof orderRange>,
  what: string,
  generation = 1,
): Promise<void> {
  await session.crash();
  const run = await session.run();
  const table = await run.begin(orders(), { generation });
  if (session.usesGenerations) await run.publish(table, generation, true);
  await session.demandRows(table, wanted, what);
}
