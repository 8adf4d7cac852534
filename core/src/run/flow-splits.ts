/** Which splits of a flow belong to generations of its streams. */
import type { FlowState, LedgerSplit } from '../ledger/ledger.js';
import { isOwnSplit } from './own-split.js';
import type { StreamStart } from './reconcile.js';
import { splitsByStream } from './splits-by-stream.js';

export function splitsOf(state: FlowState, generations: ReadonlyMap<string, number>): LedgerSplit[] {
  return Object.values(state.splits).filter(
    ({ split, generation }) =>
      !isOwnSplit(split) && split.streams.some((stream) => generations.get(stream) === generation),
  );
}

/** The splits of a stream's generation. */
export function ownSplitsOf(state: FlowState) {
  const found = splitsByStream(state.splits);
  return ({ stream, generation }: Pick<StreamStart, 'stream' | 'generation'>): LedgerSplit[] =>
    found(stream).flatMap(([, held]) =>
      held.generation === generation && !isOwnSplit(held.split) ? held : [],
    );
}
