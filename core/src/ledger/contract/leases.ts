/** Who may write: leases, takeover, fences. */
import assert from 'node:assert/strict';
import type { Lease, Ledger, RunRow } from '../ledger.js';
import {
  type ContractCheck,
  FENCED,
  FLOW,
  HELD,
  holder,
  IDENTITY,
  MISUSED,
  prepared,
  record,
  Scene,
  SINK,
  STATS,
  split,
  TTL,
} from './scene.js';

/** Every verb that writes under a lease. */
function writes(ledger: Ledger, lease: Lease): { readonly [verb: string]: () => Promise<unknown> } {
  const run: RunRow = { run: 'r1', job: 'shop', status: 'running', startedAt: 1, fence: lease.fence };
  return {
    renew: () => ledger.renew(lease, TTL),
    raiseFence: () => ledger.raiseFence(lease, 100n),
    registerSink: () => ledger.registerSink(lease, SINK, IDENTITY),
    startGeneration: () => ledger.startGeneration(lease, FLOW, 'public.orders', 9),
    addSplits: () => ledger.addSplits(lease, FLOW, [{ split: split('z'), generation: 1 }]),
    markPlanned: () => ledger.markPlanned(lease, FLOW, 'public.orders', 1),
    prepare: () => ledger.prepare(lease, SINK, 'a', 1, prepared(1)),
    dropPrepared: () => ledger.dropPrepared(lease, SINK, 'a'),
    commit: () => ledger.commit(lease, SINK, record(split('a'), 1, 1), STATS),
    adoptPositions: () => ledger.adoptPositions(lease, SINK, [record(split('a'), 1, 1)]),
    markPublished: () => ledger.markPublished(lease, SINK, 'public.orders', 1),
    startRun: () => ledger.startRun(lease, run),
  };
}

export const leases: readonly ContractCheck[] = [
  {
    title: 'a lease is held by one run, and the second hears who holds it',
    async check(open) {
      const { ledger, lease, now } = await Scene.open(open);
      assert.deepEqual(lease, { job: 'shop', holder: holder('r1'), fence: 1n, expiresAt: now + TTL });
      assert.deepEqual(await ledger.lease('shop'), lease);
      await assert.rejects(ledger.acquire('shop', holder('r2', 2), TTL), (error: Error) => {
        assert.match(error.message, /shop.*run r1.*process 1 on host-a.*30 s/);
        return (error as Error & { code: string }).code === HELD.code;
      });
      await assert.rejects(
        ledger.acquire('shop', holder('r3'), TTL),
        HELD,
        'nor may another run of the same process',
      );
      assert.equal((await ledger.acquire('other', holder('r2', 2), TTL)).fence, 1n);
      assert.deepEqual(await ledger.jobs(), ['other', 'shop']);
    },
  },
  {
    title: 'an expired lease is taken over with a greater fence, one that was renewed is not',
    async check(open) {
      const scene = await Scene.open(open);
      scene.now += TTL - 1;
      const renewed = await scene.ledger.renew(scene.lease, TTL);
      assert.deepEqual(renewed, { ...scene.lease, expiresAt: scene.now + TTL });
      scene.now += TTL - 1;
      await assert.rejects(scene.ledger.acquire('shop', holder('r2', 2), TTL), HELD);
      scene.now += 1;
      assert.equal(await scene.ledger.lease('shop'), undefined);
      const next = await scene.ledger.acquire('shop', holder('r2', 2), TTL);
      assert.equal(next.fence, 2n);
      await assert.rejects(scene.ledger.renew(scene.lease, TTL), FENCED);
    },
  },
  {
    title: 'an expired lease that nobody took can be renewed and written under',
    async check(open) {
      const scene = await Scene.started(open);
      scene.now += 2 * TTL;
      await scene.commit(split('a'), 1, 1);
      const renewed = await scene.ledger.renew(scene.lease, TTL);
      assert.deepEqual(await scene.ledger.lease('shop'), renewed);
    },
  },
  {
    title: 'the lease of a dead process is taken over at once',
    async check(open) {
      const scene = await Scene.open(open);
      scene.gone.add(1);
      assert.equal(await scene.ledger.lease('shop'), undefined);
      assert.equal((await scene.ledger.acquire('shop', holder('r2', 2), TTL)).fence, 2n);
    },
  },
  {
    title: 'a released lease is free, its fence stays, and releasing again harms nobody',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      await ledger.release(lease);
      assert.equal(await ledger.lease('shop'), undefined);
      await assert.rejects(ledger.renew(lease, TTL), FENCED);
      const next = await ledger.acquire('shop', holder('r2', 2), TTL);
      assert.equal(next.fence, 2n);
      await ledger.release(lease);
      assert.deepEqual(await ledger.lease('shop'), next);
    },
  },
  {
    title: 'a fence is raised above what a sink has seen, exactly also beyond 2^53, and never falls',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      const high = 2n ** 60n + 1n;
      const raised = await ledger.raiseFence(lease, high);
      assert.deepEqual(raised, { ...lease, fence: high + 1n });
      assert.deepEqual(await ledger.lease('shop'), raised);
      assert.deepEqual(await ledger.raiseFence(raised, 5n), raised);
      await assert.rejects(ledger.renew(lease, TTL), FENCED, 'the lease as it was before is void');
      await assert.rejects(ledger.raiseFence(raised, 2n ** 63n - 1n), MISUSED);
      await ledger.release(raised);
      assert.equal((await ledger.acquire('shop', holder('r2'), TTL)).fence, high + 2n);
    },
  },
  {
    title: 'a run that was taken over can write nothing',
    async check(open) {
      const scene = await Scene.started(open);
      await scene.commit(split('a'), 1, 1);
      scene.gone.add(1);
      await scene.ledger.acquire('shop', holder('r2', 2), TTL);
      const before = await scene.ledger.flow(FLOW);
      for (const [verb, write] of Object.entries(writes(scene.ledger, scene.lease))) {
        await assert.rejects(write(), FENCED, verb);
      }
      assert.deepEqual(await scene.ledger.flow(FLOW), before);
      assert.deepEqual(await scene.ledger.runs('shop', 10), []);
    },
  },
  {
    title: 'a lease lets nobody write to another job',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      await ledger.acquire('other', holder('r1'), TTL);
      const key = { ...SINK, job: 'other' };
      await assert.rejects(ledger.registerSink(lease, key, IDENTITY), MISUSED);
      await assert.rejects(ledger.startGeneration(lease, key, 's', 1), MISUSED);
      assert.deepEqual(await ledger.flow(key), { streams: {}, splits: {}, sinks: {} });
    },
  },
  {
    title: 'the same fence in other hands is refused too',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      for (const stranger of [holder('r2'), holder('r1', 2), { ...holder('r1'), host: 'host-b' }]) {
        for (const [verb, write] of Object.entries(writes(ledger, { ...lease, holder: stranger }))) {
          await assert.rejects(write(), FENCED, verb);
        }
      }
    },
  },
];
