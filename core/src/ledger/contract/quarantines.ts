/** Streams that a flow goes on without. */
import assert from 'node:assert/strict';
import type { Quarantine } from '../ledger.js';
import { type ContractCheck, FENCED, FLOW, holder, Scene, TTL } from './scene.js';

const why = (message: string): Quarantine => ({
  at: 5,
  error: { code: 'SLUICE-X-0001', class: 'data', message, help: 'Mend it.', details: { row: 1 } },
});

export const quarantines: readonly ContractCheck[] = [
  {
    title: 'a stream is quarantined for the reason given last, and keeps its place',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.markPlanned(lease, FLOW, 'public.orders', 1);
      const before = await ledger.flow(FLOW);
      await ledger.quarantine(lease, FLOW, 'public.orders', why('first'));
      await ledger.quarantine(lease, FLOW, 'public.orders', why('last'));
      await ledger.quarantine(lease, FLOW, 'never begun', why('no key'));
      const { streams, splits, sinks } = await ledger.flow(FLOW);
      assert.deepEqual(streams, {
        'public.orders': { generation: 1, planned: true, quarantined: why('last') },
        'never begun': { generation: 0, planned: false, quarantined: why('no key') },
      });
      assert.deepEqual({ splits, sinks }, { splits: before.splits, sinks: before.sinks });
    },
  },
  {
    title: 'a copy that is taken up ends it, and so does a new generation',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      for (const stream of ['public.orders', 'b', 'c'])
        await ledger.quarantine(lease, FLOW, stream, why('x'));
      await ledger.requestCopies(FLOW, ['public.orders']);
      assert.deepEqual((await ledger.flow(FLOW)).streams['public.orders']?.quarantined, why('x'));
      await ledger.dropCopyRequests(lease, FLOW, ['public.orders', 'unknown']);
      await ledger.startGeneration(lease, FLOW, 'b', 1);
      assert.deepEqual((await ledger.flow(FLOW)).streams, {
        'public.orders': { generation: 1, planned: false },
        b: { generation: 1, planned: false },
        c: { generation: 0, planned: false, quarantined: why('x') },
      });
    },
  },
  {
    title: 'a stream that fails once more has to be asked for once more',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.requestCopies(FLOW, ['public.orders', 'b']);
      await ledger.quarantine(lease, FLOW, 'public.orders', why('again'));
      assert.deepEqual(await ledger.requestedCopies(FLOW), ['b']);
    },
  },
  {
    title: 'it is part of what is replaced and forgotten',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.quarantine(lease, FLOW, 'public.orders', why('x'));
      const state = await ledger.flow(FLOW);
      await ledger.forget(lease);
      assert.deepEqual((await ledger.flow(FLOW)).streams, {});
      await ledger.replaceFlow(lease, FLOW, state);
      assert.deepEqual(await ledger.flow(FLOW), state);
    },
  },
  {
    title: 'a run that was taken over quarantines nothing',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.release(lease);
      await ledger.acquire('shop', holder('r2'), TTL);
      await assert.rejects(ledger.quarantine(lease, FLOW, 'public.orders', why('x')), FENCED);
      assert.equal((await ledger.flow(FLOW)).streams['public.orders']?.quarantined, undefined);
    },
  },
];
