/** The list of runs. */
import assert from 'node:assert/strict';
import type { RunRow } from '../ledger.js';
import { type ContractCheck, holder, Scene, TTL } from './scene.js';

export const runs: readonly ContractCheck[] = [
  {
    title: 'runs are listed newest first, with their results',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      const first: RunRow = { run: 'r1', job: 'shop', status: 'running', startedAt: 5, fence: lease.fence };
      await ledger.startRun(lease, first);
      await ledger.startRun(lease, { ...first, run: 'r2', startedAt: 6, fence: 2n ** 61n + 1n });
      const result = { rows: 7, streams: [{ name: 'public.orders' }] };
      await ledger.endRun('r1', 'succeeded', 9, result);
      await ledger.endRun('unknown', 'failed', 9, null);
      assert.deepEqual(await ledger.runs('shop', 10), [
        { ...first, run: 'r2', startedAt: 6, fence: 2n ** 61n + 1n },
        { ...first, status: 'succeeded', endedAt: 9, result },
      ]);
      assert.deepEqual(
        (await ledger.runs('shop', 1)).map(({ run }) => run),
        ['r2'],
      );
      assert.deepEqual(await ledger.runs('other', 10), []);
    },
  },
  {
    title: 'a run can end after its lease was taken over',
    async check(open) {
      const scene = await Scene.open(open);
      const row: RunRow = { run: 'r1', job: 'shop', status: 'running', startedAt: 5, fence: 1n };
      await scene.ledger.startRun(scene.lease, row);
      scene.gone.add(1);
      await scene.ledger.acquire('shop', holder('r2', 2), TTL);
      await scene.ledger.endRun('r1', 'failed', 7, { code: 'SLUICE-CORE-0102' });
      assert.deepEqual(await scene.ledger.runs('shop', 1), [
        { ...row, status: 'failed', endedAt: 7, result: { code: 'SLUICE-CORE-0102' } },
      ]);
    },
  },
];
