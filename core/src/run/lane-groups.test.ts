import type { Split } from '@sluice/sdk';
import { expect, it } from 'vitest';
import type { FlowState } from '../ledger/ledger.js';
import type { SinkPlan } from '../plan/flow-plan.js';
import { catchingUp, lanesOf } from './lane-groups.js';

const log: Split = { id: 'log', streams: ['a', 'b'], phase: 'log', start: 0, spec: null };
const compare = (_: Split, a: unknown, b: unknown) => Number(a) - Number(b);

/** The lanes of a log that sinks have read up to these places. */
function lanes(places: { readonly [sink: string]: number }, everyone = true) {
  const sinks = Object.entries(places).map(([name, position]) => {
    const at = { generation: 1, epoch: 1, position, sealed: false };
    return [name, { source: 's', target: 't', published: {}, positions: { log: at } }] as const;
  });
  const state: FlowState = { streams: {}, splits: {}, sinks: Object.fromEntries(sinks) };
  const start = {
    stream: 'a',
    action: 'resume',
    generation: 1,
    sinks: Object.keys(places),
    done: [],
  } as const;
  const live = Object.keys(places).map((sink) => ({ key: { job: 'j', flow: 'f', sink } }) as SinkPlan);
  return lanesOf([{ split: log, generation: 1 }], [start], state, live, everyone, compare);
}

const shown = (list: ReturnType<typeof lanes>) =>
  list.map(({ at, branches, acknowledges, acknowledgesStart, upTo }) => ({
    at,
    sinks: branches.map(({ sink }) => sink.key.sink),
    acknowledges,
    acknowledgesStart,
    upTo,
  }));

it('sinks at one place read together, and what they commit is acknowledged', () => {
  const both = { at: 5, sinks: ['x', 'y'], acknowledges: true, acknowledgesStart: true, upTo: undefined };
  expect(shown(lanes({ x: 5, y: 5 }))).toEqual([both]);
  expect(shown(catchingUp(lanes({ x: 5, y: 5 }), compare))).toEqual([both]);
});

it('of sinks that have come apart the last one acknowledges what all have', () => {
  const told = (everyone: boolean) =>
    lanes({ x: 7, y: 3, z: 9 }, everyone).flatMap((lane) => (lane.acknowledgesStart ? lane.at : []));
  expect(told(true)).toEqual([3]);
  expect(told(false)).toEqual([]);
  expect(lanes({ x: 7, y: 3 }).some(({ acknowledges }) => acknowledges)).toBe(false);
});

it('those behind read up to the furthest, which waits', () => {
  expect(shown(catchingUp(lanes({ x: 7, y: 3, z: 9 }), compare))).toMatchObject([
    { at: 7, sinks: ['x'], upTo: 9 },
    { at: 3, sinks: ['y'], upTo: 9 },
  ]);
});
