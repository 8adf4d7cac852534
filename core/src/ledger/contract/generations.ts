/** Streams, generations and the splits that end with them. */
import assert from 'node:assert/strict';
import {
  type ContractCheck,
  FENCED,
  FLOW,
  IDENTITY,
  MISUSED,
  prepared,
  Scene,
  SINK,
  split,
} from './scene.js';

export const generations: readonly ContractCheck[] = [
  {
    title: 'a flow that nobody has written is empty',
    async check(open) {
      const { ledger } = await Scene.open(open);
      assert.deepEqual(await ledger.flow(FLOW), { streams: {}, splits: {}, sinks: {} });
      assert.deepEqual(await ledger.epochs(FLOW, 10), []);
    },
  },
  {
    title: 'generations, splits and plans are kept; what is known stays as it is',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.addSplits(lease, FLOW, [
        { split: split('a', ['public.orders'], { spec: { changed: true } }), generation: 1 },
        { split: split('b'), generation: 1 },
      ]);
      await ledger.startGeneration(lease, FLOW, 'public.orders', 1);
      await ledger.markPlanned(lease, FLOW, 'public.orders', 1);
      const state = await ledger.flow(FLOW);
      assert.deepEqual(state.streams, { 'public.orders': { generation: 1, planned: true } });
      assert.deepEqual(state.splits, {
        a: { split: split('a'), generation: 1 },
        b: { split: split('b'), generation: 1 },
      });
      await ledger.registerSink(lease, SINK, { source: 'other', target: 'other' });
      assert.deepEqual((await ledger.flow(FLOW)).sinks['lake'], {
        ...IDENTITY,
        published: {},
        positions: {},
      });
      assert.deepEqual(await ledger.flow({ ...FLOW, flow: 'other' }), { streams: {}, splits: {}, sinks: {} });
    },
  },
  {
    title: 'a new generation removes the splits and positions of the older one and keeps their history',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.startGeneration(lease, FLOW, 'public.items', 1);
      await ledger.addSplits(lease, FLOW, [{ split: split('i', ['public.items']), generation: 1 }]);
      await scene.commit(split('a'), 1, 1);
      await ledger.prepare(lease, SINK, 'a', 1, prepared(2));
      await scene.commit(split('i', ['public.items']), 1, 1);
      await ledger.startGeneration(lease, FLOW, 'public.orders', 3);
      await ledger.startGeneration(lease, FLOW, 'public.orders', 2);
      const state = await ledger.flow(FLOW);
      assert.deepEqual(state.streams['public.orders'], { generation: 3, planned: false });
      assert.deepEqual(Object.keys(state.splits), ['i']);
      assert.deepEqual(Object.keys(state.sinks['lake']!.positions), ['i']);
      assert.deepEqual(
        (await ledger.epochs(FLOW, 10)).map((row) => row.split),
        ['i', 'a'],
      );
    },
  },
  {
    title: 'splits of a generation that was replaced do not come back',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.startGeneration(lease, FLOW, 'public.orders', 2);
      await assert.rejects(ledger.addSplits(lease, FLOW, [{ split: split('b'), generation: 1 }]), MISUSED);
      await assert.rejects(scene.commit(split('a'), 1, 1), MISUSED);
      await assert.rejects(ledger.markPlanned(lease, FLOW, 'public.orders', 1), MISUSED);
      await ledger.addSplits(lease, FLOW, [{ split: split('a'), generation: 2 }]);
      await assert.rejects(scene.commit(split('a'), 1, 1), MISUSED);
      assert.deepEqual(await scene.positions(), {});
    },
  },
  {
    title: 'a split of several streams goes when all of them have moved on; a shared log stays',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      const both = ['public.orders', 'public.items'];
      await ledger.startGeneration(lease, FLOW, 'public.items', 1);
      await ledger.addSplits(lease, FLOW, [
        { split: split('both', both), generation: 1 },
        { split: split('log', both, { phase: 'log' }), generation: 1 },
      ]);
      await ledger.startGeneration(lease, FLOW, 'public.orders', 2);
      assert.deepEqual(Object.keys((await ledger.flow(FLOW)).splits).sort(), ['both', 'log']);
      await ledger.startGeneration(lease, FLOW, 'public.items', 2);
      assert.deepEqual(Object.keys((await ledger.flow(FLOW)).splits), ['log']);
    },
  },
  {
    title: 'names of any kind are identities of their own',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      const names = ['__proto__', 'constructor', '', 'a b', 'Ä😀', "'; DROP TABLE splits; --", 'a/b', '5'];
      await ledger.registerSink(lease, { ...SINK, sink: '__proto__' }, IDENTITY);
      for (const name of names) await ledger.startGeneration(lease, FLOW, name, 1);
      await ledger.addSplits(
        lease,
        FLOW,
        names.map((name) => ({ split: split(name, [name]), generation: 1 })),
      );
      const state = await ledger.flow(FLOW);
      assert.deepEqual(Object.keys(state.streams).sort(), [...names].sort());
      assert.deepEqual(Object.keys(state.splits).sort(), [...names].sort());
      assert.deepEqual(Object.keys(state.sinks), ['__proto__']);
      await assert.rejects(ledger.startGeneration(lease, FLOW, 'a\0b', 1), MISUSED);
      await assert.rejects(ledger.startGeneration(lease, FLOW, 'a\ud800', 1), MISUSED);
    },
  },
  {
    title:
      'a job that is forgotten begins as if it had never run; other jobs, its history and its fence stay',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      const other = await ledger.acquire('other', lease.holder, 30_000);
      const otherFlow = { job: 'other', flow: 'main' };
      await ledger.startGeneration(other, otherFlow, 'public.orders', 4);
      await ledger.addSplits(other, otherFlow, [{ split: split('a'), generation: 4 }]);
      await scene.commit(split('a'), 1, 1, 1, true);
      await ledger.markPlanned(lease, FLOW, 'public.orders', 1);
      await ledger.markPublished(lease, SINK, 'public.orders', 1);
      await ledger.prepare(lease, SINK, 'a', 1, prepared(2));
      await ledger.forget(lease);
      await ledger.forget(lease);
      assert.deepEqual(await ledger.flow(FLOW), { streams: {}, splits: {}, sinks: {} });
      assert.equal((await ledger.epochs(FLOW, 10)).length, 1);
      assert.deepEqual(Object.keys((await ledger.flow(otherFlow)).splits), ['a']);
      await ledger.registerSink(lease, SINK, { source: 'pg:8', target: 'duckdb:10' });
      await ledger.startGeneration(lease, FLOW, 'public.orders', 1);
      await ledger.addSplits(lease, FLOW, [{ split: split('a'), generation: 1 }]);
      const again = (await ledger.flow(FLOW)).sinks['lake'];
      assert.deepEqual(again, { source: 'pg:8', target: 'duckdb:10', published: {}, positions: {} });
      await ledger.release(lease);
      assert.ok((await ledger.acquire('shop', lease.holder, 30_000)).fence > lease.fence);
      await assert.rejects(ledger.forget(lease), FENCED);
    },
  },
];
