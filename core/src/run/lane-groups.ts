/**
 * Which lanes a flow's splits are read in. Sinks that are at one position of a split share its reader; one that is
 * elsewhere, because it was left behind or came later, is caught up by a lane of its own.
 */
import type { Json, Split } from '@sluice/sdk';
import type { FlowState, LedgerSplit, PositionState } from '../ledger/ledger.js';
import type { SinkPlan } from '../plan/flow-plan.js';
import type { StreamStart } from './reconcile.js';

export interface SplitLane {
  readonly split: Split;
  readonly generation: number;
  /** Where reading begins, the same for all its branches. */
  readonly at: Json;
  readonly branches: readonly {
    readonly sink: SinkPlan;
    /** Undefined: nothing of the split is committed in the sink. */
    readonly position: PositionState | undefined;
  }[];
  /**
   * Whether the source may forget what all branches have committed: not while a sink of another lane, or one that the
   * flow works without, still has to read it.
   */
  readonly acknowledges: boolean;
  /** Whether it may forget what lies before the lane's beginning: all sinks have that, this lane's as the last. */
  readonly acknowledgesStart: boolean;
  /** Where reading ends: a place that other sinks have reached. */
  readonly upTo?: Json;
}

/** Which of two places in a split comes first, where its source can tell. */
export type ComparePlaces = (split: Split, a: Json, b: Json) => number;

/** Lanes for what is not sealed, in the order of the splits. */
export function lanesOf(
  splits: readonly LedgerSplit[],
  starts: readonly StreamStart[],
  state: FlowState,
  live: readonly SinkPlan[],
  /** Whether these are all the sinks of the flow. */
  everyone: boolean,
  compare?: ComparePlaces,
): SplitLane[] {
  const startOf = new Map(starts.map((start) => [start.stream, start]));
  return splits.flatMap(({ split, generation }) => {
    const own = split.streams.map((stream) => startOf.get(stream));
    const takers = new Set(own.flatMap((start) => (start?.generation === generation ? start.sinks : [])));
    const groups = new Map<string, { at: Json; branches: SplitLane['branches'][number][] }>();
    for (const sink of live) {
      if (!takers.has(sink.key.sink)) continue;
      const position = state.sinks[sink.key.sink]?.positions[split.id];
      if (position?.sealed) continue;
      const at = position === undefined ? split.start : position.position;
      const place = JSON.stringify(at);
      const group = groups.get(place) ?? { at, branches: [] };
      group.branches.push({ sink, position });
      groups.set(place, group);
    }
    const acknowledges = groups.size === 1 && everyone;
    const all = [...groups.values()];
    const isLast = ({ at }: { at: Json }) =>
      compare !== undefined &&
      split.phase === 'log' &&
      all.every((other) => compare(split, at, other.at) <= 0);
    return all.map((group) => {
      const acknowledgesStart = acknowledges || (everyone && isLast(group));
      return { split, generation, ...group, acknowledges, acknowledgesStart };
    });
  });
}

/**
 * Sinks that have come apart in a log meet again where those are that have read furthest: the others read up to there.
 * Each would else read up to the end of the log, which for the last of them is never where it was for the first.
 */
export function catchingUp(lanes: readonly SplitLane[], compare: ComparePlaces | undefined): SplitLane[] {
  if (compare === undefined) return [...lanes];
  return lanes.flatMap((lane) => {
    const { split } = lane;
    const together = lanes.filter((other) => other.split.id === split.id);
    if (together.length === 1) return lane;
    const furthest = together.reduce((a, b) => (compare(split, a.at, b.at) >= 0 ? a : b));
    return lane === furthest ? [] : { ...lane, upTo: furthest.at };
  });
}
