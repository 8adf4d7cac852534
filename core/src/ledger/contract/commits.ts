/** Positions, prepared epochs, what is published, and the history. */
import assert from 'node:assert/strict';
import { type ContractCheck, FLOW, MISUSED, prepared, record, Scene, SINK, STATS, split } from './scene.js';

export const commits: readonly ContractCheck[] = [
  {
    title: 'a commit is the new position and a row of the history; positions never go back',
    async check(open) {
      const scene = await Scene.started(open);
      const position = { lsn: '0/16B3748', list: [1, 'zwei', null, { '\0': '\ud800' }], big: 1e300 };
      await scene.commit(split('a'), 1, 1, 'first');
      scene.now += 1000;
      await scene.commit(split('a'), 1, 2, position, true);
      await scene.commit(split('a'), 1, 2, 'again');
      await scene.commit(split('a'), 1, 1, 'older');
      assert.deepEqual(await scene.positions(), { a: { generation: 1, epoch: 2, position, sealed: true } });
      const row = { sink: 'lake', split: 'a', generation: 1, fence: 1n, ...STATS };
      assert.deepEqual(await scene.ledger.epochs(FLOW, 10), [
        { ...row, epoch: 2, position, sealed: true, at: scene.now },
        { ...row, epoch: 1, position: 'first', sealed: false, at: scene.now - 1000 },
      ]);
      assert.deepEqual(
        (await scene.ledger.epochs(FLOW, 1)).map(({ epoch }) => epoch),
        [2],
      );
    },
  },
  {
    title: 'a prepared epoch stands beside the committed position until it is committed or dropped',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.prepare(lease, SINK, 'a', 1, prepared(1));
      const start = { generation: 1, epoch: 0, position: { from: 0 }, sealed: false };
      assert.deepEqual(await scene.positions(), { a: { ...start, prepared: prepared(1) } });
      await ledger.dropPrepared(lease, SINK, 'a');
      assert.deepEqual(await scene.positions(), {});
      await ledger.prepare(lease, SINK, 'a', 1, prepared(1));
      await scene.commit(split('a'), 1, 1);
      const first = { generation: 1, epoch: 1, position: 1, sealed: false };
      assert.deepEqual(await scene.positions(), { a: first });
      await ledger.prepare(lease, SINK, 'a', 1, prepared(2));
      await ledger.prepare(lease, SINK, 'a', 1, { ...prepared(2), token: { file: 'second try' } });
      await scene.commit(split('a'), 1, 1, 'a repeated commit');
      const second = { ...prepared(2), token: { file: 'second try' } };
      assert.deepEqual(await scene.positions(), { a: { ...first, prepared: second } });
    },
  },
  {
    title: 'positions of a record are taken over forwards and back',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await scene.commit(split('a'), 1, 5);
      await ledger.prepare(lease, SINK, 'a', 1, prepared(6));
      await ledger.adoptPositions(lease, SINK, [
        record(split('a'), 1, 3, 'back'),
        record(split('new'), 1, 7),
      ]);
      assert.deepEqual(await scene.positions(), {
        a: { generation: 1, epoch: 3, position: 'back', sealed: false },
        new: { generation: 1, epoch: 7, position: 7, sealed: false },
      });
      assert.deepEqual((await ledger.flow(FLOW)).splits['new'], { split: split('new'), generation: 1 });
      const partly = [record(split('x'), 1, 1), record(split('a'), 2, 1)];
      await assert.rejects(ledger.adoptPositions(lease, SINK, partly), MISUSED);
      assert.equal((await ledger.flow(FLOW)).splits['x'], undefined, 'nothing of a refused verb is kept');
      await scene.commit(split('a'), 1, 4);
      assert.equal((await scene.positions())['a']!.epoch, 4);
    },
  },
  {
    title: 'verbs out of order are refused',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      const stranger = { ...SINK, sink: 'unknown' };
      await assert.rejects(ledger.commit(lease, stranger, record(split('a'), 1, 1), STATS), MISUSED);
      await assert.rejects(ledger.adoptPositions(lease, stranger, []), MISUSED);
      await assert.rejects(ledger.prepare(lease, stranger, 'a', 1, prepared(1)), MISUSED);
      await assert.rejects(ledger.dropPrepared(lease, stranger, 'a'), MISUSED);
      await assert.rejects(ledger.markPublished(lease, stranger, 'public.orders', 1), MISUSED);
      await assert.rejects(ledger.prepare(lease, SINK, 'unknown', 1, prepared(1)), MISUSED);
      await assert.rejects(ledger.prepare(lease, SINK, 'a', 2, prepared(1)), MISUSED);
      await scene.commit(split('a'), 1, 2);
      await assert.rejects(ledger.prepare(lease, SINK, 'a', 1, prepared(2)), MISUSED);
      await assert.rejects(scene.commit(split('a'), 2, 3), MISUSED);
    },
  },
  {
    title: 'what was published last is remembered per sink and never falls',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.markPublished(lease, SINK, 'public.orders', 2);
      await ledger.markPublished(lease, SINK, 'public.orders', 1);
      await ledger.startGeneration(lease, FLOW, 'public.orders', 3);
      const { run } = lease.holder;
      assert.deepEqual((await ledger.flow(FLOW)).sinks['lake']!.published, {
        'public.orders': { generation: 2, run },
      });
    },
  },
  {
    title: 'the history is thinned by age and keeps the newest epoch of every split',
    async check(open) {
      const scene = await Scene.started(open);
      const hour = 3_600_000;
      scene.now = Math.ceil(scene.now / (24 * hour)) * 24 * hour;
      const begin = scene.now;
      await scene.commit(split('still'), 1, 1);
      await scene.commit(split('still'), 1, 2);
      for (let i = 1; i <= 4 * 24 * 10; i++) {
        await scene.commit(split('a'), 1, i);
        scene.now += hour / 4;
      }
      const rows = await scene.ledger.epochs(FLOW, 10_000);
      const ages = rows.filter((row) => row.split === 'a').map((row) => (scene.now - row.at) / hour);
      const between = (from: number, to: number) => ages.filter((age) => age > from && age <= to).length;
      assert.equal(between(0, 23), 23 * 4, 'all of the last day');
      assert.ok(
        between(25, 24 * 7 - 1) <= 24 * 6 + 1 && between(25, 24 * 7 - 1) >= 24 * 5,
        'one an hour for a week',
      );
      assert.ok(between(24 * 7 + 2, 24 * 30) <= 4, 'then one a day');
      assert.ok(between(24 * 7 + 2, 24 * 30) >= 2);
      const still = rows.filter((row) => row.split === 'still').map(({ epoch, at }) => ({ epoch, at }));
      assert.deepEqual(still, [{ epoch: 2, at: begin }]);
      assert.equal((await scene.positions())['still']!.epoch, 2);
    },
  },
];
