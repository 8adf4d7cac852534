/** Where the sinks of a flow were at a time, from its history. */
import type { EpochRow } from '../ledger/ledger.js';

/** A split of a sink at two times. */
export interface PlaceChange {
  readonly sink: string;
  readonly split: string;
  readonly from: EpochRow | undefined;
  readonly to: EpochRow | undefined;
  /** Rows that were committed in between. */
  readonly rows: number;
}

/** The last epoch of every sink and split at `time` (epoch milliseconds), as far as the history is kept. */
export function placesAt(newestFirst: readonly EpochRow[], time: number): Map<string, EpochRow> {
  const places = new Map<string, EpochRow>();
  for (const row of newestFirst) {
    const key = placeKey(row);
    if (row.at <= time && !places.has(key)) places.set(key, row);
  }
  return places;
}

/** What is different at `later` from `earlier`. */
export function placesBetween(
  newestFirst: readonly EpochRow[],
  earlier: number,
  later: number,
): readonly PlaceChange[] {
  const before = placesAt(newestFirst, earlier);
  const after = placesAt(newestFirst, later);
  return [...after].reverse().flatMap(([key, to]): PlaceChange[] => {
    const from = before.get(key);
    if (from === to) return [];
    const between = newestFirst.filter((row) => placeKey(row) === key && row.at > earlier && row.at <= later);
    const rows = between.reduce((sum, row) => sum + row.rows, 0);
    return [{ sink: to.sink, split: to.split, from, to, rows }];
  });
}

function placeKey({ sink, split }: EpochRow): string {
  return `${sink}\n${split}`;
}
