/** What replacing the state of a flow means, whatever keeps it. */
import { isDeepStrictEqual } from 'node:util';
import { coreErrors } from '../errors.js';
import type { FlowKey, FlowState, PositionState } from './ledger.js';
import { requireStorable } from './refusals.js';

/** A sink's place in a split that is another one than before. */
export interface Move {
  readonly sink: string;
  readonly split: string;
  /** Undefined: nothing of the split was committed. */
  readonly from: PositionState | undefined;
  readonly to: PositionState;
}

/** The places that change, by the names of sinks and splits. */
export function movesOf(before: FlowState, after: FlowState): Move[] {
  const known = new Map(
    Object.entries(before.sinks).map(([sink, { positions }]) => [sink, new Map(Object.entries(positions))]),
  );
  return byName(after.sinks).flatMap(([sink, { positions }]) =>
    byName(positions).flatMap(([split, to]): Move[] => {
      const from = known.get(sink)?.get(split);
      const same = isDeepStrictEqual(placeOf(from), placeOf(to));
      return to.epoch === 0 || same ? [] : [{ sink, split, from, to }];
    }),
  );
}

function byName<T>(named: { readonly [name: string]: T }): [string, T][] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

function placeOf(state: PositionState | undefined) {
  if (state === undefined) return undefined;
  const { generation, epoch, position, sealed } = state;
  return { generation, epoch, position, sealed };
}

/** Throws `SLUICE-CORE-0120` for a state in which something is missing or that cannot be stored. */
export function requireWhole(key: FlowKey, { streams, splits, sinks }: FlowState): void {
  requireStorable(key.flow, ...Object.keys(streams), ...Object.keys(splits), ...Object.keys(sinks));
  for (const [id, { split }] of Object.entries(splits)) {
    if (split.id !== id) throw coreErrors.ledgerMisused(`split ${split.id} stands under the name ${id}`);
    requireStorable(...split.streams);
  }
  for (const [sink, { source, target, published, positions }] of Object.entries(sinks)) {
    requireStorable(source, target, ...Object.keys(published));
    const missing = Object.keys(positions).find((id) => !Object.hasOwn(splits, id));
    if (missing === undefined) continue;
    throw coreErrors.ledgerMisused(`sink ${sink} has a place in split ${missing}, which is not there`);
  }
}
