import { isSluiceError, type Protocol, type WriteMode } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { Bench, type ModelSinkKind } from './model-run.js';
import type { ModelTarget } from './model-sinks.js';
import type { ModelStream } from './model-source.js';
import { Crash, type FaultKind } from './world.js';

const FAULTS: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'late'];

const small: ModelStream[] = [{ name: 'a', splits: [[1, 2], [3]] }];
const twoStreams: ModelStream[] = [
  { name: 'a', splits: [[1, 2], [3]] },
  { name: 'b', splits: [[10]] },
];
const unbroken: ModelStream[] = [{ name: 'a', splits: [[1, 2], [3]], volatile: true }];
const unbrokenWhole: ModelStream[] = [{ name: 'a', splits: [[1, 2, 3]], volatile: true }];

interface Case {
  readonly name: string;
  readonly streams: readonly ModelStream[];
  readonly sinks: readonly ModelSinkKind[];
}

const one = (protocol: Protocol, write: WriteMode, more: Partial<ModelSinkKind> = {}) => [
  { protocol, write, ...more },
];

const CASES: readonly Case[] = [
  { name: 'atomic, replace', streams: twoStreams, sinks: one('atomic', 'replace') },
  {
    name: 'atomic, replace, splits that cannot be resumed',
    streams: unbroken,
    sinks: one('atomic', 'replace'),
  },
  { name: 'atomic, append', streams: twoStreams, sinks: one('atomic', 'append') },
  { name: 'atomic, append, one unbroken split', streams: unbrokenWhole, sinks: one('atomic', 'append') },
  {
    name: 'atomic, append, epochs of two rows',
    streams: small,
    sinks: one('atomic', 'append', { epochRows: 2 }),
  },
  { name: 'two-phase, replace', streams: twoStreams, sinks: one('two-phase', 'replace') },
  { name: 'two-phase, append', streams: twoStreams, sinks: one('two-phase', 'append') },
  { name: 'two-phase, replace, unbroken', streams: unbroken, sinks: one('two-phase', 'replace') },
  { name: 'keyed, upsert', streams: twoStreams, sinks: one('keyed', 'upsert') },
  { name: 'append', streams: twoStreams, sinks: one('append', 'append') },
  {
    name: 'atomic and two-phase, replace',
    streams: small,
    sinks: [...one('atomic', 'replace'), ...one('two-phase', 'replace', { epochRows: 2 })],
  },
  {
    name: 'two-phase append and keyed',
    streams: small,
    sinks: [...one('two-phase', 'append'), ...one('keyed', 'upsert', { epochRows: 2 })],
  },
  {
    name: 'atomic, and another that may be left behind',
    streams: small,
    sinks: [...one('atomic', 'append'), ...one('atomic', 'append', { onFailure: 'detach' })],
  },
  {
    name: 'two-phase, and a keyed one that may be left behind',
    streams: small,
    sinks: [...one('two-phase', 'append'), ...one('keyed', 'upsert', { onFailure: 'detach' })],
  },
];

/** Pairs of faults take their time: two sinks have four times as many. */
const PAIRED = CASES.filter(({ sinks }) => sinks.length === 1);

function benchOf({ streams, sinks }: Case): Bench {
  return new Bench(streams, sinks);
}

/**
 * Runs once more, which must succeed. A full append that an earlier run brought to a good end says so instead; after a
 * fault it must not, unless the ledger that would know was taken away.
 */
async function finish(bench: Bench, ledgerReplaced = false): Promise<void> {
  const { ended } = bench.start();
  const result = await ended;
  await bench.afterwards();
  if (result.status === 'succeeded') return;
  const earlier = (await bench.ledger.runs('model', 9)).slice(1);
  const done = ledgerReplaced || earlier.some(({ status }) => status === 'succeeded');
  if (result.error?.code === 'SLUICE-CORE-0108' && done) return;
  throw new Error(`${result.error?.code} ${result.error?.message}`);
}

async function settle(ended: Promise<unknown>): Promise<void> {
  await ended.catch((error: unknown) => {
    if (!(error instanceof Crash) && !isSluiceError(error)) throw error;
  });
}

/** What every end must look like: exact for atomic, two-phase and keyed sinks, nothing missing for append. */
function expectWhole(bench: Bench, where: string): void {
  expect(bench.forgotten, `${where}: acknowledged too early`).toEqual([]);
  for (const [i, target] of bench.targets.entries()) expectWholeIn(target, bench, `${where}, sink ${i}`);
}

function expectWholeIn(target: ModelTarget, bench: Bench, where: string): void {
  for (const { name, splits } of bench.streams) {
    const wanted = splits.flat().sort((x, y) => x - y);
    const ids = target.ids(name);
    expect(target.protocol === 'append' ? [...new Set(ids)] : ids, where).toEqual(wanted);
    if (!target.usesStaging) continue;
    for (const { stream, ids: shown } of target.shown) {
      if (stream !== name) continue;
      const sorted = [...shown].sort((x, y) => x - y);
      expect(sorted, `${where}: half a generation was shown`).toEqual(wanted);
    }
  }
}

async function stepsOfCleanRun(of: Case): Promise<number> {
  const bench = benchOf(of);
  const { process, ended } = bench.start();
  expect((await ended).status).toBe('succeeded');
  expectWhole(bench, 'clean');
  return process.steps.length;
}

describe.each(CASES)('$name', (of) => {
  it('survives every single fault', async () => {
    const steps = await stepsOfCleanRun(of);
    expect(steps).toBeGreaterThan(20);
    for (let step = 1; step <= steps; step++) {
      for (const kind of FAULTS) {
        const bench = benchOf(of);
        const { process, ended } = bench.start({ step, kind });
        await settle(ended);
        await bench.afterwards();
        await finish(bench);
        expectWhole(bench, `${kind} at ${step} (${process.steps[step - 1]})`);
      }
    }
  });

  it('a zombie that wakes up after its successor has finished harms nothing', async () => {
    const steps = await stepsOfCleanRun(of);
    for (let step = 2; step <= steps; step++) {
      const bench = benchOf(of);
      const zombie = bench.start({ step, kind: 'pause' });
      await Promise.race([zombie.process.paused, zombie.ended]);
      bench.now += 2 * 60_000;
      await finish(bench);
      zombie.process.resume();
      await settle(zombie.ended);
      expectWhole(bench, `paused at ${step} (${zombie.process.steps[step - 1]})`);
    }
  });
});

describe.each(PAIRED)('$name: two at once', (of) => {
  it('survives a second fault in the run that repairs the first', async () => {
    const pair = of.streams === twoStreams ? { ...of, streams: small } : of;
    const steps = await stepsOfCleanRun(pair);
    for (let first = 1; first <= steps; first++) {
      for (const kind of ['crash-after', 'late'] as const) {
        for (let second = 1; second <= steps; second++) {
          const bench = benchOf(pair);
          const one = bench.start({ step: first, kind });
          await settle(one.ended);
          await bench.afterwards();
          const two = bench.start({ step: second, kind: second % 2 ? 'crash-after' : 'crash-before' });
          await settle(two.ended);
          await bench.afterwards();
          await finish(bench);
          expectWhole(
            bench,
            `${kind} at ${first}, then crash at ${second} (${two.process.steps[second - 1]})`,
          );
        }
      }
    }
  });

  it('a zombie that wakes up in the middle of its successor harms nothing', async () => {
    const steps = await stepsOfCleanRun(of);
    for (let step = 2; step <= steps; step += 2) {
      for (let meet = 3; meet <= steps; meet += 3) {
        const bench = benchOf(of);
        const zombie = bench.start({ step, kind: 'pause' });
        await Promise.race([zombie.process.paused, zombie.ended]);
        bench.now += 2 * 60_000;
        const successor = bench.start({ step: meet, kind: 'pause' });
        await Promise.race([successor.process.paused, successor.ended]);
        zombie.process.resume();
        await settle(zombie.ended);
        successor.process.resume();
        await settle(successor.ended);
        await bench.afterwards();
        await finish(bench);
        expectWhole(bench, `paused at ${step}, awake at the successor's ${meet}`);
      }
    }
  });
});

const RECORDED: readonly Protocol[] = ['atomic', 'two-phase'];

describe.each(CASES.filter(({ sinks }) => sinks.every(({ protocol }) => RECORDED.includes(protocol))))(
  '$name: the ledger',
  (of) => {
    it('may be lost after any fault', async () => {
      const steps = await stepsOfCleanRun(of);
      for (let step = 1; step <= steps; step++) {
        for (const kind of FAULTS) {
          const bench = benchOf(of);
          const { process, ended } = bench.start({ step, kind });
          await settle(ended);
          await bench.afterwards();
          bench.ledger = bench.freshLedger();
          await finish(bench, true);
          expectWhole(bench, `ledger lost after ${kind} at ${step} (${process.steps[step - 1]})`);
        }
      }
    });

    it('may be older than the sink', async () => {
      const steps = await stepsOfCleanRun(of);
      for (let step = 1; step <= steps; step++) {
        for (let age = 1; age <= step; age += 2) {
          const bench = benchOf(of);
          const older = bench.start({ step: age, kind: 'crash-after' });
          await settle(older.ended);
          await bench.afterwards();
          const backup = bench.ledger.clone();
          const newer = bench.start({ step, kind: 'crash-after' });
          await settle(newer.ended);
          await bench.afterwards();
          bench.ledger = backup;
          await finish(bench, true);
          expectWhole(
            bench,
            `ledger of ${age} restored after crash at ${step} (${newer.process.steps[step - 1]})`,
          );
        }
      }
    });
  },
);

/** Streams that are polled, into sinks that write by key: what can be set back. */
const polled = (): ModelStream[] => [{ name: 'a', splits: [[1, 2], [3]], mode: 'incremental' }];
const REWOUND: readonly Case[] = [
  { name: 'atomic', streams: polled(), sinks: one('atomic', 'upsert') },
  { name: 'two-phase', streams: polled(), sinks: one('two-phase', 'upsert') },
  { name: 'keyed', streams: polled(), sinks: one('keyed', 'upsert') },
  {
    name: 'atomic and keyed',
    streams: polled(),
    sinks: [...one('atomic', 'upsert'), ...one('keyed', 'upsert')],
  },
];

describe.each(REWOUND)('$name, set back', (of) => {
  /** Everything is read; then the sinks lose what they had, behind the job's back. */
  async function lossy(): Promise<Bench> {
    const bench = benchOf({ ...of, streams: polled() });
    await finish(bench);
    expectWhole(bench, 'before');
    for (const target of bench.targets) target.visible.set('a', []);
    return bench;
  }

  async function rewindAndRun(bench: Bench, where: string): Promise<void> {
    await bench.rewind(0).ended;
    await bench.afterwards();
    await finish(bench);
    expectWhole(bench, where);
  }

  async function stepsOfRewind(): Promise<number> {
    const bench = await lossy();
    const { process, ended } = bench.rewind(0);
    await ended;
    await finish(bench);
    expectWhole(bench, 'undisturbed');
    return process.steps.length;
  }

  it('reads again what is behind the point, whatever goes wrong while it is set back', async () => {
    const steps = await stepsOfRewind();
    expect(steps).toBeGreaterThan(5);
    for (let step = 1; step <= steps; step++) {
      for (const kind of FAULTS) {
        const bench = await lossy();
        const { process, ended } = bench.rewind(0, { step, kind });
        await settle(ended);
        await bench.afterwards();
        await rewindAndRun(bench, `${kind} at ${step} (${process.steps[step - 1]})`);
      }
    }
  });

  it('ends whole when the run behind it is disturbed', async () => {
    const probe = await lossy();
    await probe.rewind(0).ended;
    const { process: clean, ended } = probe.start();
    await ended;
    for (let step = 1; step <= clean.steps.length; step++) {
      for (const kind of FAULTS) {
        const bench = await lossy();
        await bench.rewind(0).ended;
        await bench.afterwards();
        const disturbed = bench.start({ step, kind });
        await settle(disturbed.ended);
        await bench.afterwards();
        await finish(bench);
        expectWhole(bench, `${kind} at ${step} (${disturbed.process.steps[step - 1]})`);
      }
    }
  });

  it('is no matter to a zombie of a run from before', async () => {
    const bench = benchOf({ ...of, streams: polled() });
    const { process, ended } = bench.start();
    await ended;
    for (let step = 2; step <= process.steps.length; step++) {
      const met = benchOf({ ...of, streams: polled() });
      const zombie = met.start({ step, kind: 'pause' });
      await Promise.race([zombie.process.paused, zombie.ended]);
      met.now += 2 * 60_000;
      await finish(met);
      await met.rewind(0).ended;
      zombie.process.resume();
      await settle(zombie.ended);
      await met.afterwards();
      await finish(met);
      expectWhole(met, `paused at ${step} (${zombie.process.steps[step - 1]})`);
    }
  });
});
