/** Streams that are to be copied once more. */
import assert from 'node:assert/strict';
import { type ContractCheck, FENCED, holder, Scene, TTL } from './scene.js';

const KEY = { job: 'shop', flow: 'main' };

export const copyRequests: readonly ContractCheck[] = [
  {
    title: 'copies are asked for while a run holds the job, once each, and dropped by it',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      assert.deepEqual(await ledger.requestedCopies(KEY), []);
      await ledger.requestCopies(KEY, ['b', 'a']);
      await ledger.requestCopies(KEY, ['b', 'c']);
      assert.deepEqual(await ledger.requestedCopies(KEY), ['a', 'b', 'c']);
      assert.deepEqual(await ledger.requestedCopies({ ...KEY, flow: 'other' }), []);
      await ledger.dropCopyRequests(lease, KEY, ['a', 'c', 'unknown']);
      assert.deepEqual(await ledger.requestedCopies(KEY), ['b']);
      await ledger.forget(lease);
      assert.deepEqual(await ledger.requestedCopies(KEY), []);
    },
  },
  {
    title: 'a run that was taken over drops no request',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      await ledger.requestCopies(KEY, ['a']);
      await ledger.release(lease);
      await ledger.acquire('shop', holder('r2'), TTL);
      await assert.rejects(ledger.dropCopyRequests(lease, KEY, ['a']), FENCED);
      assert.deepEqual(await ledger.requestedCopies(KEY), ['a']);
    },
  },
];
