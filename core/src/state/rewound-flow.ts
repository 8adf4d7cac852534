/** The state of a flow as it was at an earlier time, from the history that is kept. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { coreErrors } from '../errors.js';
import type { EpochRow, FlowState, LedgerSplit, PositionState, SinkState } from '../ledger/ledger.js';

/** A sink's place in a split before and after. */
export interface Rewound {
  readonly sink: string;
  readonly split: string;
  readonly from: PositionState;
  /** Undefined: nothing of the split had been committed; it is planned again. */
  readonly to: EpochRow | undefined;
}

/**
 * The state with `streams` as they were at `to` (epoch milliseconds; 0: the beginning), in `generation`, which is higher than any that a
 * ledger or a sink knows. Nothing is ever set forward. Throws `SLUICE-CORE-0130` for a time that history no longer
 * has, and for a split that others share.
 */
export function rewoundFlow(
  state: FlowState,
  history: readonly EpochRow[],
  streams: ReadonlySet<string>,
  to: number,
  generation: number,
): { readonly state: FlowState; readonly moves: readonly Rewound[] } {
  const own = Object.values(state.splits).filter(({ split }) =>
    split.streams.some((name) => streams.has(name)),
  );
  for (const { split } of own) requireWhole(split.streams, streams);
  const moves: Rewound[] = [];
  const splits = new Map(Object.entries(state.splits));
  const sinks = new Map(
    Object.entries(state.sinks).map(([name, sink]) => [
      name,
      { ...sink, positions: new Map(Object.entries(sink.positions)) },
    ]),
  );
  for (const held of own) {
    const { id } = held.split;
    splits.delete(id);
    for (const [sink, { positions }] of sinks) {
      const from = positions.get(id);
      positions.delete(id);
      if (from === undefined || from.epoch === 0) continue;
      const rows = history.filter((row) => row.sink === sink && row.split === id);
      const place = placeAt(held, from, rows, to);
      if (place?.epoch !== from.epoch) moves.push({ sink, split: id, from, to: place });
      if (place === undefined) continue;
      const { epoch, position, sealed } = place;
      positions.set(id, { generation, epoch, position, sealed });
      splits.set(id, { split: held.split, generation });
    }
  }
  const known = Object.entries(state.streams).map(([name, stream]) => [
    name,
    streams.has(name) ? { ...stream, generation, planned: false } : stream,
  ]);
  return {
    state: {
      streams: Object.fromEntries(known),
      splits: Object.fromEntries(splits),
      sinks: Object.fromEntries(
        [...sinks].map(([name, sink]): [string, SinkState] => [
          name,
          { ...sink, positions: Object.fromEntries(sink.positions) },
        ]),
      ),
    },
    moves,
  };
}

/**
 * The epoch that a sink had committed last in a split at a time. The history of the split's generation is walked from
 * now on back; what is not further back than what follows it was given up since (a sink that was restored, an earlier
 * rewind) and says nothing of the rows that are there.
 */
function placeAt(
  { split, generation }: LedgerSplit,
  now: PositionState,
  newestFirst: readonly EpochRow[],
  to: number,
): EpochRow | undefined {
  // Where a split begins stands in the split itself.
  if (to <= 0) return undefined;
  let next: Pick<EpochRow, 'epoch' | 'position'> = now;
  let oldest: EpochRow | undefined;
  for (const row of newestFirst) {
    if (row.generation !== generation) continue;
    const again = row.epoch === next.epoch && isDeepStrictEqual(row.position, next.position);
    if (row.epoch >= next.epoch && !again) continue;
    next = row;
    oldest = row;
    if (row.at <= to) return split.volatile && !row.sealed ? undefined : row;
  }
  if (oldest?.epoch === 1) return undefined;
  const since = oldest === undefined ? 'has nothing' : `begins at ${new Date(oldest.at).toISOString()}`;
  throw coreErrors.rewindRefused(`the history of split ${split.id} ${since}`, {
    details: { split: split.id },
  });
}

function requireWhole(shared: readonly string[], streams: ReadonlySet<string>): void {
  const other = shared.find((name) => !streams.has(name));
  if (other === undefined) return;
  throw coreErrors.rewindRefused(
    `stream ${shared.find((name) => streams.has(name))} is read together with ${other}, which stays`,
    { help: 'Set both back, or neither.' },
  );
}
