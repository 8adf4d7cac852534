/** A flow whose state is replaced whole: by a rewind, an import, a fork. */
import assert from 'node:assert/strict';
import type { FlowState } from '../ledger.js';
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

const WHOLE: FlowState = {
  streams: { 'public.orders': { generation: 4, planned: true } },
  splits: { a: { split: split('a'), generation: 4 }, b: { split: split('b'), generation: 4 } },
  sinks: {
    lake: {
      ...IDENTITY,
      published: { 'public.orders': { generation: 3, run: 'r0' } },
      positions: {
        a: { generation: 4, epoch: 2, position: { at: [2, null] }, sealed: false, prepared: prepared(3) },
      },
    },
    empty: { source: 'pg:7', target: 'other', published: {}, positions: {} },
  },
};

export const replacing: readonly ContractCheck[] = [
  {
    title: 'a flow is replaced whole, also again, and other flows stay',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.startGeneration(lease, { ...FLOW, flow: 'other' }, 'x', 1);
      await ledger.prepare(lease, SINK, 'a', 1, prepared(1));
      for (let time = 0; time < 2; time++) {
        await ledger.replaceFlow(lease, FLOW, WHOLE);
        assert.deepEqual(await ledger.flow(FLOW), WHOLE);
      }
      assert.deepEqual(await ledger.flows('shop'), ['main', 'other']);
      assert.deepEqual(await ledger.flows('nobody'), []);
      assert.equal((await ledger.epochs(FLOW, 10)).length, 1);
      await ledger.replaceFlow(lease, FLOW, { streams: {}, splits: {}, sinks: {} });
      assert.deepEqual(await ledger.flow(FLOW), { streams: {}, splits: {}, sinks: {} });
      assert.deepEqual(await ledger.flows('shop'), ['other']);
    },
  },
  {
    title: 'what a replaced flow goes on from can be written on',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      await ledger.replaceFlow(lease, FLOW, WHOLE);
      await scene.commit(split('a'), 4, 3, 'further');
      await scene.commit(split('b'), 4, 1, 'begun');
      assert.deepEqual(await scene.positions(), {
        a: { generation: 4, epoch: 3, position: 'further', sealed: false },
        b: { generation: 4, epoch: 1, position: 'begun', sealed: false },
      });
      await ledger.startGeneration(lease, FLOW, 'public.orders', 5);
      assert.deepEqual((await ledger.flow(FLOW)).splits, {});
    },
  },
  {
    title: 'the history of a split that goes on in another generation goes along up to its position',
    async check(open) {
      const scene = await Scene.started(open);
      const { ledger, lease } = scene;
      for (const epoch of [1, 2, 3]) await scene.commit(split('a'), 1, epoch);
      const state = await ledger.flow(FLOW);
      const back = { generation: 2, epoch: 2, position: 2, sealed: false };
      await ledger.replaceFlow(lease, FLOW, {
        streams: { 'public.orders': { generation: 2, planned: false } },
        splits: { a: { split: split('a'), generation: 2 } },
        sinks: { lake: { ...state.sinks['lake']!, positions: { a: back } } },
      });
      const told = (await ledger.epochs(FLOW, 10)).map((row) => [row.generation, row.epoch, row.rows]);
      assert.deepEqual(told, [
        [2, 2, 0],
        [1, 3, 10],
        [2, 2, 10],
        [2, 1, 10],
      ]);
    },
  },
  {
    title: 'a state with a part missing, and one of a lease that is over, change nothing',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      const before = await ledger.flow(FLOW);
      await assert.rejects(ledger.replaceFlow(lease, FLOW, { ...WHOLE, splits: {} }), MISUSED);
      const misnamed = { ...WHOLE, splits: { ...WHOLE.splits, b: { split: split('c'), generation: 4 } } };
      await assert.rejects(ledger.replaceFlow(lease, FLOW, misnamed), MISUSED);
      await assert.rejects(ledger.replaceFlow(lease, { job: 'other', flow: 'main' }, WHOLE), MISUSED);
      await ledger.release(lease);
      await assert.rejects(ledger.replaceFlow(lease, FLOW, WHOLE), FENCED);
      assert.deepEqual(await ledger.flow(FLOW), before);
    },
  },
];
