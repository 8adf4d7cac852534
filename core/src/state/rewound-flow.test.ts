import { describe, expect, it } from 'vitest';
import type { EpochRow, FlowState } from '../ledger/ledger.js';
import { rewoundFlow } from './rewound-flow.js';

const poll = { id: 'p', streams: ['s'], phase: 'poll', start: 0, spec: null } as const;
const streams = new Set(['s']);

function row(epoch: number, at: number, more: Partial<EpochRow> = {}): EpochRow {
  const place = { generation: 1, epoch, position: epoch * 10, sealed: false };
  return { sink: 'lake', split: 'p', ...place, fence: 1n, rows: 1, bytes: 1, at, ...more };
}

function at(epoch: number, generation = 1): FlowState {
  return {
    streams: { s: { generation, planned: true }, other: { generation: 7, planned: true } },
    splits: { p: { split: poll, generation } },
    sinks: {
      lake: {
        source: 'a',
        target: 'b',
        published: {},
        positions: { p: { generation, epoch, position: epoch * 10, sealed: false } },
      },
    },
  };
}

/** The place after setting back, from a history that is written oldest first. */
function back(state: FlowState, history: readonly EpochRow[], to: number) {
  const rewound = rewoundFlow(state, history.toReversed(), streams, to, 9);
  return rewound.state.sinks['lake']!.positions['p'];
}

describe('the state at an earlier time', () => {
  const history = [row(1, 100), row(2, 200), row(3, 300)];

  it('is the last epoch until then, in the new generation; other streams stay', () => {
    const { state, moves } = rewoundFlow(at(3), history.toReversed(), streams, 250, 9);
    expect(state.streams).toEqual({
      s: { generation: 9, planned: false },
      other: { generation: 7, planned: true },
    });
    expect(state.splits).toEqual({ p: { split: poll, generation: 9 } });
    const place = { generation: 9, epoch: 2, position: 20, sealed: false };
    expect(state.sinks['lake']!.positions).toEqual({ p: place });
    expect(moves).toMatchObject([{ sink: 'lake', split: 'p', from: { epoch: 3 }, to: { epoch: 2 } }]);
  });

  it('includes an epoch of that very time, and moves nothing when it is now', () => {
    expect(back(at(3), history, 200)).toMatchObject({ epoch: 2 });
    expect(rewoundFlow(at(3), history.toReversed(), streams, 300, 9).moves).toEqual([]);
  });

  it('has no split that had not begun: it is planned again', () => {
    const { state } = rewoundFlow(at(3), history.toReversed(), streams, 99, 9);
    expect([state.splits, state.sinks['lake']!.positions]).toEqual([{}, {}]);
  });

  it('refuses a time whose epochs have been thinned out, and a split without history', () => {
    const refused = { code: 'SLUICE-CORE-0130' };
    expect(() => back(at(3), history.slice(1), 150)).toThrow(expect.objectContaining(refused));
    expect(() => back(at(3), [], 150)).toThrow(expect.objectContaining(refused));
    expect(back(at(3), history.slice(1), 250)).toMatchObject({ epoch: 2 });
  });

  it('never goes forward to what a restored sink has given up', () => {
    const restored = [...history, row(2, 400, { position: 15 }), row(3, 500, { position: 25 })];
    const now = at(3);
    const here = { ...now.sinks['lake']!.positions['p']!, position: 25 };
    const state = { ...now, sinks: { lake: { ...now.sinks['lake']!, positions: { p: here } } } };
    expect(back(state, restored, 350)).toMatchObject({ epoch: 1, position: 10 });
    expect(back(state, restored, 450)).toMatchObject({ epoch: 2, position: 15 });
  });

  it('does not use epochs of a generation before: its rows may be gone', () => {
    const newer = [...history, row(1, 400, { generation: 2 })];
    expect(back(at(1, 2), newer, 350)).toBeUndefined();
  });

  it('refuses a split that a stream shares which stays', () => {
    const shared = { ...poll, streams: ['s', 'other'] };
    const state = { ...at(3), splits: { p: { split: shared, generation: 1 } } };
    expect(() => back(state, history, 200)).toThrow(/together with other/);
  });
});
