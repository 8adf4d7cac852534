/** Any sequence of verbs leaves both ledgers in equal states and fails with equal errors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, Split } from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Holder, Lease, Ledger } from './ledger.js';
import { MemoryLedger } from './memory-ledger.js';
import { openSqliteLedger } from './sqlite-ledger.js';

const jobs = fc.constantFrom('j1', 'j1', 'j1', 'j2');
const streams = fc.constantFrom('s1', 's2', 's3');
const splitIds = fc.constantFrom('p1', 'p2', 'p3', '__proto__');
const generation = fc.constantFrom(1, 1, 1, 1, 1, 0, 2, 3);
const epoch = fc.integer({ min: 0, max: 6 });
// JSON has no negative zero, so no position has one either.
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const holder = fc
  .record({ run: fc.constantFrom('r1', 'r2'), pid: fc.integer({ min: 1, max: 3 }) })
  .map(({ run, pid }): Holder => ({ run, host: 'h', pid, processStart: 's' }));

/** A split is determined by its id and generation, as a source makes it; its streams may overlap with others'. */
function splitOf(id: string, phase: Split['phase']): Split {
  const own: { [id: string]: string[] } = { p1: ['s1'], p2: ['s1', 's2'], p3: ['s3', 's2'] };
  return { id, streams: Object.hasOwn(own, id) ? own[id]! : ['s3'], phase, start: null, spec: { id } };
}
const split = fc.record({ id: splitIds, phase: fc.constantFrom<Split['phase']>('bulk', 'log', 'poll') });
const place = fc.record({
  job: fc.constantFrom('j1', 'j1', 'j1', 'j1', 'j2'),
  flow: fc.constantFrom('main', 'main', 'main', 'other'),
  sink: fc.constantFrom('a', 'a', 'a', 'b'),
  which: fc.nat(9),
});
const record = fc
  .record({ split, generation, epoch, position: json, sealed: fc.boolean() })
  .map(({ split: { id, phase }, ...rest }) => ({ split: splitOf(id, phase), ...rest }));

type Verb = (ledger: Ledger, leases: Lease[]) => Promise<unknown>;

/** The lease that a step uses: one of those the sequence got so far, current or not. */
function pick(leases: readonly Lease[], which: number): Lease {
  const stranger = { run: 'r0', host: 'h', pid: 9, processStart: 's' };
  return leases.at(which < 8 ? -1 : -2) ?? { job: 'j1', holder: stranger, fence: 1n, expiresAt: 0 };
}

const verbs: fc.Arbitrary<{ name: string; advance: number; run: Verb }> = fc
  .record({
    advance: fc.constantFrom(0, 0, 0, 0, 0, 0, 10, 400, 3_600_000, 90_000_000),
    step: fc.oneof(
      fc.tuple(jobs, holder).map(([job, by]): [string, Verb] => [
        `acquire ${job} ${by.run}/${by.pid}`,
        async (ledger, leases) => {
          const lease = await ledger.acquire(job, by, 100_000);
          leases.push(lease);
          return lease;
        },
      ]),
      fc.tuple(place, fc.bigInt({ min: 0n, max: 40n })).map(([{ which }, above]): [string, Verb] => [
        `raiseFence ${above}`,
        async (ledger, leases) => {
          const lease = await ledger.raiseFence(pick(leases, which), above);
          leases.push(lease);
          return lease;
        },
      ]),
      place.map(({ which }): [string, Verb] => ['renew', (l, leases) => l.renew(pick(leases, which), 1000)]),
      place.map(({ which }): [string, Verb] => ['release', (l, leases) => l.release(pick(leases, which))]),
      place.map((p): [string, Verb] => [
        `registerSink ${p.sink}`,
        (l, leases) => l.registerSink(pick(leases, p.which), p, { source: `${p.which}`, target: 't' }),
      ]),
      fc
        .tuple(place, streams, generation)
        .map(([p, stream, g]): [string, Verb] => [
          `startGeneration ${stream} ${g}`,
          (l, leases) => l.startGeneration(pick(leases, p.which), p, stream, g),
        ]),
      fc
        .tuple(place, fc.array(fc.record({ split, generation }), { maxLength: 3 }))
        .map(([p, list]): [string, Verb] => [
          `addSplits ${JSON.stringify(list)}`,
          (l, leases) =>
            l.addSplits(
              pick(leases, p.which),
              p,
              list.map((each) => ({
                split: splitOf(each.split.id, each.split.phase),
                generation: each.generation,
              })),
            ),
        ]),
      fc
        .tuple(place, streams, generation)
        .map(([p, stream, g]): [string, Verb] => [
          `markPlanned ${stream} ${g}`,
          (l, leases) => l.markPlanned(pick(leases, p.which), p, stream, g),
        ]),
      fc.tuple(place, streams).map(([p, stream]): [string, Verb] => [
        `quarantine ${stream}`,
        (l, leases) =>
          l.quarantine(pick(leases, p.which), p, stream, {
            at: p.which,
            error: { code: 'X', class: 'data', message: stream, help: '', details: {} },
          }),
      ]),
      fc
        .tuple(place, streams)
        .map(([p, stream]): [string, Verb] => [
          `requestCopies ${stream}`,
          (l) => l.requestCopies(p, [stream]),
        ]),
      fc
        .tuple(place, streams)
        .map(([p, stream]): [string, Verb] => [
          `dropCopyRequests ${stream}`,
          (l, leases) => l.dropCopyRequests(pick(leases, p.which), p, [stream]),
        ]),
      fc
        .tuple(place, splitIds, generation, epoch, json)
        .map(([p, id, g, e, position]): [string, Verb] => [
          `prepare ${id} ${g} ${e}`,
          (l, leases) =>
            l.prepare(pick(leases, p.which), p, id, g, { epoch: e, position, sealed: false, token: { e } }),
        ]),
      fc
        .tuple(place, place)
        .map(([p, other]): [string, Verb] => [
          `replaceFlow ${p.job}/${p.flow} by ${other.job}/${other.flow}`,
          async (l, leases) => l.replaceFlow(pick(leases, p.which), p, await l.flow(other)),
        ]),
      fc
        .tuple(place, splitIds)
        .map(([p, id]): [string, Verb] => [
          `dropPrepared ${id}`,
          (l, leases) => l.dropPrepared(pick(leases, p.which), p, id),
        ]),
      fc
        .tuple(place, record)
        .map(([p, r]): [string, Verb] => [
          `commit ${JSON.stringify(r)}`,
          (l, leases) => l.commit(pick(leases, p.which), p, r, { rows: r.epoch, bytes: 2 ** 40 }),
        ]),
      fc
        .tuple(place, fc.array(record, { maxLength: 3 }))
        .map(([p, list]): [string, Verb] => [
          `adoptPositions ${JSON.stringify(list)}`,
          (l, leases) => l.adoptPositions(pick(leases, p.which), p, list),
        ]),
      fc
        .tuple(place, streams, generation)
        .map(([p, stream, g]): [string, Verb] => [
          `markPublished ${stream} ${g}`,
          (l, leases) => l.markPublished(pick(leases, p.which), p, stream, g),
        ]),
      fc.tuple(place, fc.constantFrom('x', 'y')).map(([p, run]): [string, Verb] => [
        `startRun ${run}`,
        (l, leases) =>
          l.startRun(pick(leases, p.which), {
            run,
            job: p.job,
            status: 'running',
            startedAt: p.which,
            fence: 3n,
          }),
      ]),
      fc
        .tuple(fc.constantFrom('x', 'y'), json)
        .map(([run, result]): [string, Verb] => [
          `endRun ${run}`,
          (l) => l.endRun(run, 'stopped', 5, result),
        ]),
    ),
  })
  .map(({ advance, step: [name, run] }) => ({ name, advance, run }));

/** A job that has got going, so that most sequences do more than be refused. */
const opening: [string, Verb][] = [
  [
    'acquire',
    async (l, leases) =>
      leases.push(await l.acquire('j1', { run: 'r1', host: 'h', pid: 1, processStart: 's' }, 1e9)),
  ],
  [
    'registerSink',
    (l, leases) =>
      l.registerSink(leases[0]!, { job: 'j1', flow: 'main', sink: 'a' }, { source: 's', target: 't' }),
  ],
  [
    'addSplits',
    (l, leases) => {
      const added = ['p1', 'p2', 'p3'].map((id) => ({ split: splitOf(id, 'bulk'), generation: 1 }));
      return l.addSplits(leases[0]!, { job: 'j1', flow: 'main' }, added);
    },
  ],
];

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: (await run()) ?? null };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return { code, message };
  }
}

async function everything(ledger: Ledger): Promise<unknown> {
  const flows = ['j1', 'j2'].flatMap((job) => ['main', 'other'].map((flow) => ({ job, flow })));
  return {
    flows: await Promise.all(flows.map((key) => ledger.flow(key))),
    epochs: await Promise.all(flows.map((key) => ledger.epochs(key, 100))),
    runs: [await ledger.runs('j1', 10), await ledger.runs('j2', 1)],
    leases: [await ledger.lease('j1'), await ledger.lease('j2')],
    jobs: await ledger.jobs(),
  };
}

it('does the same in SQLite as in memory, verb for verb', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-equality-'));
  const reached = new Map<string, number>();
  let count = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(verbs, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        const path = join(folder, `${count++}.db`);
        let now = 1_700_000_000_000;
        const options = { clock: () => now, isGone: ({ pid }: Holder) => pid === 3 };
        let sqlite = await openSqliteLedger(path, options);
        let memory = new MemoryLedger(options);
        const leases: { sqlite: Lease[]; memory: Lease[] } = { sqlite: [], memory: [] };
        try {
          const all = [...opening.map(([name, run]) => ({ name, advance: 0, run })), ...steps];
          for (const [i, { name, advance, run }] of all.entries()) {
            now += advance;
            const theirs = await outcome(() => run(sqlite, leases.sqlite));
            const ours = await outcome(() => run(memory, leases.memory));
            expect(theirs, name).toStrictEqual(ours);
            const end = (ours as { code?: string }).code ?? 'ok';
            reached.set(
              `${name.split(' ')[0]} ${end}`,
              (reached.get(`${name.split(' ')[0]} ${end}`) ?? 0) + 1,
            );
            // Neither a process that starts afresh nor a copy knows less.
            if (i % 16 !== 15) continue;
            await sqlite.close();
            sqlite = await openSqliteLedger(path, options);
            memory = memory.clone();
          }
          expect(await everything(sqlite)).toStrictEqual(await everything(memory));
        } finally {
          await sqlite.close();
        }
      }),
      { numRuns: 150 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  // The sequences have been everywhere: each verb has succeeded, and each refusal was met.
  for (const verb of [
    'acquire',
    'renew',
    'commit',
    'prepare',
    'addSplits',
    'startGeneration',
    'adoptPositions',
    'replaceFlow',
  ]) {
    expect(reached.get(`${verb} ok`), verb).toBeGreaterThan(2);
    expect(reached.get(`${verb} SLUICE-CORE-${verb === 'acquire' ? '0101' : '0102'}`), verb).toBeGreaterThan(
      5,
    );
  }
  expect(reached.get('commit SLUICE-CORE-0120')).toBeGreaterThan(2);
});

it('gives a copy that goes its own way', async () => {
  const ledger = new MemoryLedger();
  const lease = await ledger.acquire('j', { run: 'r', host: 'h', pid: 1, processStart: 's' }, 1000);
  const key = { job: 'j', flow: 'f' };
  await ledger.startGeneration(lease, key, 's', 1);
  const copy = ledger.clone();
  await ledger.startGeneration(lease, key, 's', 2);
  await copy.markPlanned(lease, key, 's', 1);
  expect((await ledger.flow(key)).streams).toEqual({ s: { generation: 2, planned: false } });
  expect((await copy.flow(key)).streams).toEqual({ s: { generation: 1, planned: true } });
});

it('keeps nothing of the objects that it was given or gave out', async () => {
  const ledger = new MemoryLedger();
  const lease = await ledger.acquire('j', { run: 'r', host: 'h', pid: 1, processStart: 's' }, 1000);
  const key = { job: 'j', flow: 'f', sink: 'k' };
  await ledger.registerSink(lease, key, { source: 'a', target: 'b' });
  const position = { at: 1 };
  const split: Split = { id: 'p', streams: ['s'], phase: 'bulk', start: null, spec: null };
  await ledger.commit(
    lease,
    key,
    { split, generation: 1, epoch: 1, position, sealed: false },
    { rows: 0, bytes: 0 },
  );
  position.at = 2;
  const state = await ledger.flow(key);
  (state.sinks['k']!.positions['p']!.position as { at: number }).at = 3;
  expect((await ledger.flow(key)).sinks['k']!.positions['p']!.position).toEqual({ at: 1 });
});
