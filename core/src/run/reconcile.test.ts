import type { SinkRecord, SplitRecord } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import type { FlowState } from '../ledger/ledger.js';
import { checkIdentities, type ReconcileInput, reconcile, type SinkInput } from './reconcile.js';

const split = { id: 's/0', streams: ['s'], phase: 'bulk', start: 0, spec: null } as const;
const nothing: FlowState = { streams: {}, splits: {}, sinks: {} };
const identity = { source: 'src', target: 'dst' };

function at(epoch: number, sealed = false, generation = 1): SplitRecord {
  return { split, generation, epoch, position: epoch, sealed };
}

function ledgerAt(
  epoch: number,
  more: { sealed?: boolean; published?: boolean; volatile?: boolean } = {},
): FlowState {
  const { sealed = false, published = false, volatile } = more;
  const { split: _, ...position } = at(epoch, sealed);
  return {
    streams: { s: { generation: 1, planned: true } },
    splits: { 's/0': { split: { ...split, ...(volatile && { volatile }) }, generation: 1 } },
    sinks: {
      lake: {
        ...identity,
        published: published ? { s: { generation: 1, run: 'run-1' } } : {},
        positions: { 's/0': position },
      },
    },
  };
}

function recordAt(epoch: number, published = false, generation = 1): SinkRecord {
  return {
    source: 'src',
    fence: 1n,
    streams: { s: { generation, published } },
    splits: { 's/0': at(epoch, published, generation) },
  };
}

const lake: SinkInput = {
  sink: 'lake',
  identity: identity.target,
  record: undefined,
  keepsRecord: true,
  required: true,
  wanted: [{ stream: 's', mode: 'full', resumable: false, mayRepeat: false }],
};

/** Reconciles one sink, or those of `sinks`; throws what the first one is refused with. */
function settle({
  ledger = nothing,
  again = false,
  fresh = [] as readonly string[],
  alive = false,
  earlier = [{ run: 'run-1', status: 'succeeded' }],
  sinks,
  ...sink
}: Partial<ReconcileInput & SinkInput>) {
  const settled = reconcile({
    ledger,
    source: identity.source,
    sinks: sinks ?? [{ ...lake, ...sink }],
    again,
    fresh,
    alive,
    run: 'run-2',
    earlier,
  });
  if (settled.refused.length > 0) throw settled.refused[0]!.error;
  return settled;
}

/** A start of the only sink. */
function only(action: 'begin' | 'resume', generation: number) {
  return [{ stream: 's', action, generation, sinks: ['lake'], done: [] }];
}

const append = [{ stream: 's', mode: 'full', resumable: true, mayRepeat: false }] as const;

describe('what a run does first', () => {
  it('begins generation 1 where nothing is known', () => {
    expect(settle({}).streams).toEqual(only('begin', 1));
  });
  it('resumes a generation that is not published', () => {
    const { streams, adoptPositions } = settle({ ledger: ledgerAt(3), record: recordAt(3) });
    expect(streams).toEqual(only('resume', 1));
    expect(adoptPositions).toEqual([]);
  });
  it.each([
    { name: 'further on: a reply was lost', ledger: 3, record: 4 },
    { name: 'behind: it was restored from a backup', ledger: 5, record: 2 },
  ])('takes the position of a sink that is $name', ({ ledger, record }) => {
    expect(settle({ ledger: ledgerAt(ledger), record: recordAt(record) }).adoptPositions).toEqual([
      { sink: 'lake', record: at(record) },
    ]);
  });
  it('takes everything from the sink when the ledger is lost', () => {
    const settled = settle({ record: recordAt(4, false, 7) });
    expect(settled.adoptGenerations).toEqual([{ stream: 's', generation: 7 }]);
    expect(settled.adoptSplits).toEqual([{ split, generation: 7 }]);
    expect(settled.streams).toEqual(only('resume', 7));
  });
  it('starts over when a part that cannot be resumed was left unfinished', () => {
    const settled = settle({
      ledger: ledgerAt(0, { volatile: true }),
      record: undefined,
      keepsRecord: false,
    });
    expect(settled.streams).toEqual(only('begin', 2));
  });
  it('goes on with such a part in the run that planned it', () => {
    const ledger = ledgerAt(2, { volatile: true });
    expect(settle({ ledger, keepsRecord: false, alive: true }).streams).toEqual(only('resume', 1));
  });
  it('refuses to start over what is appended in part', () => {
    const broken = { ledger: ledgerAt(2, { volatile: true }), keepsRecord: false, wanted: append };
    expect(() => settle(broken)).toThrowError(expect.objectContaining({ code: 'SLUICE-CORE-0110' }));
    const wanted = [{ ...append[0], mayRepeat: true }];
    expect(settle({ ...broken, wanted }).streams[0]?.action).toBe('begin');
  });
  it('appends once, unless the job says again', () => {
    const done = {
      ledger: ledgerAt(3, { sealed: true, published: true }),
      record: recordAt(3, true),
      wanted: append,
    };
    expect(() => settle(done)).toThrowError(expect.objectContaining({ code: 'SLUICE-CORE-0108' }));
    expect(settle({ ...done, again: true }).streams).toEqual(only('begin', 2));
    const interrupted = [
      { run: 'run-1b', status: 'failed' },
      { run: 'run-1', status: 'running' },
    ] as const;
    expect(settle({ ...done, earlier: interrupted }).streams[0]?.action).toBe('done');
    const finished = [{ run: 'run-1b', status: 'succeeded' }, ...interrupted] as const;
    expect(() => settle({ ...done, earlier: finished })).toThrow();
  });
  it('stops where state and systems do not belong together', () => {
    const code = (of: string) => expect.objectContaining({ code: `SLUICE-CORE-${of}` });
    expect(() => settle({ ledger: ledgerAt(2) })).toThrowError(code('0106'));
    expect(() => settle({ record: { ...recordAt(1), source: 'other' } })).toThrowError(code('0107'));
    const state = ledgerAt(1).sinks['lake'];
    expect(() => checkIdentities(state, { ...identity, source: 'other' })).toThrowError(code('0105'));
    expect(() => checkIdentities(state, { ...identity, target: 'other' })).toThrowError(code('0105'));
    expect(() => checkIdentities(state, identity)).not.toThrow();
  });
});

describe('several sinks', () => {
  const replace = lake.wanted;
  const crm: SinkInput = { ...lake, sink: 'crm', keepsRecord: false };

  /** A generation whose only split is sealed in the sinks named, and published in some of them. */
  function ledgerOf(
    sealedIn: readonly string[],
    publishedIn: readonly string[],
    volatile = false,
  ): FlowState {
    const { split: _, ...done } = at(3, true);
    const sinks = ['lake', 'crm'].map((sink) => [
      sink,
      {
        ...identity,
        published: publishedIn.includes(sink) ? { s: { generation: 1, run: 'run-1' } } : {},
        positions: sealedIn.includes(sink) ? { 's/0': done } : {},
      },
    ]);
    return { ...ledgerAt(0, { volatile }), sinks: Object.fromEntries(sinks) };
  }

  const start = (input: Parameters<typeof settle>[0]) => settle(input).streams[0];

  it('one that has not published is caught up alone, and the next copy begins in all', () => {
    const sinks = [{ ...lake, keepsRecord: false }, crm];
    const behind = start({ ledger: ledgerOf(['lake'], ['lake']), sinks });
    expect(behind).toEqual({ stream: 's', action: 'resume', generation: 1, sinks: ['crm'], done: ['lake'] });
    const all = start({ ledger: ledgerOf(['lake', 'crm'], ['lake', 'crm']), sinks });
    expect(all).toMatchObject({ action: 'begin', generation: 2, sinks: ['lake', 'crm'] });
  });

  it('one that may be left behind holds no copy back', () => {
    const sinks = [
      { ...lake, keepsRecord: false },
      { ...crm, required: false },
    ];
    const next = start({ ledger: ledgerOf(['lake'], ['lake']), sinks });
    expect(next).toMatchObject({ action: 'begin', generation: 2, sinks: ['lake', 'crm'] });
  });

  it('where it cannot go on within the generation, a copy begins anew unless that would double rows', () => {
    const ledger = ledgerOf(['lake'], ['lake'], true);
    const replacing = [{ ...lake, keepsRecord: false, wanted: replace }, crm];
    expect(start({ ledger, sinks: replacing })).toMatchObject({ action: 'begin', generation: 2 });
    const appending = [{ ...lake, keepsRecord: false, wanted: append }, crm];
    expect(() => settle({ ledger, sinks: appending })).toThrowError(
      expect.objectContaining({ code: 'SLUICE-CORE-0110' }),
    );
    const left = [appending[0]!, { ...crm, required: false }];
    const failed = [{ run: 'run-1', status: 'failed' }] as const;
    expect(start({ ledger, sinks: left, earlier: failed })).toMatchObject({ action: 'done', done: ['lake'] });
  });

  it('a complete append asks for nothing more while another is caught up', () => {
    const sinks = [
      { ...lake, keepsRecord: false, wanted: append },
      { ...crm, required: false, wanted: append },
    ];
    const behind = start({ ledger: ledgerOf(['lake'], ['lake']), sinks });
    expect(behind).toMatchObject({ action: 'resume', sinks: ['crm'], done: ['lake'] });
    expect(() => settle({ ledger: ledgerOf(['lake', 'crm'], ['lake', 'crm']), sinks })).toThrowError(
      expect.objectContaining({ code: 'SLUICE-CORE-0108' }),
    );
  });

  it('the highest generation that any of them knows is that of all', () => {
    const sinks = [
      { ...lake, record: recordAt(2, false, 5) },
      { ...crm, keepsRecord: true, record: recordAt(3, true, 4) },
    ];
    const settled = settle({ sinks });
    expect(settled.adoptGenerations).toEqual([{ stream: 's', generation: 5 }]);
    expect(settled.adoptPositions).toEqual([{ sink: 'lake', record: at(2, false, 5) }]);
    expect(settled.adoptPublished).toEqual([]);
    expect(settled.streams).toEqual([
      { stream: 's', action: 'resume', generation: 5, sinks: ['lake', 'crm'], done: [] },
    ]);
  });

  it('one that is refused counts for nothing, and says why', () => {
    const sinks = [
      { ...lake, keepsRecord: false },
      { ...crm, identity: 'other' },
    ];
    const settled = reconcile({
      ledger: ledgerOf(['lake'], ['lake']),
      source: identity.source,
      sinks,
      again: false,
      fresh: [],
      alive: false,
      run: 'run-2',
      earlier: [],
    });
    expect(settled.refused).toMatchObject([{ sink: 'crm', error: { code: 'SLUICE-CORE-0105' } }]);
    expect(settled.streams).toMatchObject([{ action: 'begin', sinks: ['lake'] }]);
  });
});
