/**
 * What every ledger must do, as checks that need no test framework: each opens an empty ledger and rejects when a
 * promise of the contract does not hold. A ledger written elsewhere proves itself with the same list.
 */
import assert from 'node:assert/strict';
import type { Json, Split, SplitRecord } from '@sluice/sdk';
import type { FlowKey, Holder, Lease, Ledger, PreparedEpoch, RunRow, SinkKey } from './ledger.js';
import type { LedgerOptions } from './refusals.js';

/** Opens a new, empty ledger. */
export type OpenLedger = (options: LedgerOptions) => Promise<Ledger>;

export interface ContractCheck {
  readonly title: string;
  check(open: OpenLedger): Promise<void>;
}

const TTL = 30_000;
const FLOW: FlowKey = { job: 'shop', flow: 'main' };
const SINK: SinkKey = { ...FLOW, sink: 'lake' };
const STATS = { rows: 10, bytes: 1000 };
const IDENTITY = { source: 'pg:7', target: 'duckdb:9' };

const HELD = { code: 'SLUICE-CORE-0101' };
const FENCED = { code: 'SLUICE-CORE-0102' };
const MISUSED = { code: 'SLUICE-CORE-0120' };

function holder(run: string, pid = 1): Holder {
  return { run, host: 'host-a', pid, processStart: `start-${pid}` };
}
function split(id: string, streams = ['public.orders'], more: Partial<Split> = {}): Split {
  return { id, streams, phase: 'bulk', start: { from: 0 }, spec: { table: id }, ...more };
}
function record(
  of: Split,
  generation: number,
  epoch: number,
  position: Json = epoch,
  sealed = false,
): SplitRecord {
  return { split: of, generation, epoch, position, sealed };
}
function prepared(epoch: number): PreparedEpoch {
  return { epoch, position: { at: epoch }, sealed: false, token: { file: `part-${epoch}` } };
}

/** A ledger whose clock and dead processes the check decides about. */
class Scene {
  now = 1_700_000_000_000;
  readonly gone = new Set<number>();
  ledger!: Ledger;
  lease!: Lease;

  static async open(open: OpenLedger): Promise<Scene> {
    const scene = new Scene();
    scene.ledger = await open({ clock: () => scene.now, isGone: ({ pid }) => scene.gone.has(pid) });
    scene.lease = await scene.ledger.acquire('shop', holder('r1'), TTL);
    return scene;
  }

  /** With the sink registered and generation 1 of `public.orders` under way in one split. */
  static async started(open: OpenLedger): Promise<Scene> {
    const scene = await Scene.open(open);
    await scene.ledger.registerSink(scene.lease, SINK, IDENTITY);
    await scene.ledger.startGeneration(scene.lease, FLOW, 'public.orders', 1);
    await scene.ledger.addSplits(scene.lease, FLOW, [{ split: split('a'), generation: 1 }]);
    return scene;
  }

  commit(
    of: Split,
    generation: number,
    epoch: number,
    position: Json = epoch,
    sealed = false,
  ): Promise<void> {
    return this.ledger.commit(this.lease, SINK, record(of, generation, epoch, position, sealed), STATS);
  }
  async positions() {
    return (await this.ledger.flow(FLOW)).sinks['lake']!.positions;
  }
}

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

const leases: ContractCheck[] = [
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

const generations: ContractCheck[] = [
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
];

const commits: ContractCheck[] = [
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
      assert.deepEqual((await ledger.flow(FLOW)).sinks['lake']!.published, { 'public.orders': 2 });
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

const runs: ContractCheck[] = [
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

/** Every check of the contract. */
export const ledgerContract: readonly ContractCheck[] = [...leases, ...generations, ...commits, ...runs];
