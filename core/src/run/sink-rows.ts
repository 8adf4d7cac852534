/**
 * What one sink gets of a stream's rows, behind the flow's transforms: without those that it has by a copy, and as it
 * wants them.
 */
import type { Batch, Clear, Json } from '@sluice/sdk';
import type { FlowState } from '../ledger/ledger.js';
import type { StreamPlan } from '../plan/flow-plan.js';
import { showsEachOnce } from '../plan/modes-matrix.js';
import { tablesOf } from '../plan/routed-table.js';
import { splitsByStream } from './splits-by-stream.js';

/** By stream, the last positions of the copies that a sink has of it. */
export type SinkCopies = (stream: string) => readonly Json[];

/** In splits that are no logs: nothing is there that a copy could show. */
export const NO_COPIES: SinkCopies = () => [];

export function copiesIn({ splits, sinks }: FlowState, sink: string): SinkCopies {
  const positions = sinks[sink]?.positions ?? {};
  const found = splitsByStream(splits);
  return (stream) =>
    found(stream).flatMap(([id, { split }]) => {
      const at = positions[id];
      return split.phase === 'bulk' && at?.sealed ? [at.position] : [];
    });
}

export interface SinkRows {
  readonly batches: readonly Batch[];
  /** Rows that do not go on, and those that more was made of. */
  readonly filtered: number;
  readonly added: number;
}

export function sinkRows(
  { stream, read, targets }: StreamPlan,
  sink: string,
  batch: Batch,
  copies: SinkCopies,
): SinkRows {
  const { casts, table } = targets[sink]!;
  const isOnce = read.once === true && showsEachOnce(table);
  const kept = isOnce ? notShown(batch, copies(stream)) : batch;
  let batches: readonly Batch[] = [kept];
  for (const cast of casts) batches = batches.flatMap((one) => cast.apply(one));
  const rows = batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
  return {
    batches: batches.filter(({ rowCount }) => rowCount > 0),
    filtered: batch.rowCount - kept.rowCount + Math.max(0, kept.rowCount - rows),
    added: Math.max(0, rows - kept.rowCount),
  };
}

/** What the sink's tables get where the stream is cleared; none where a copy shows that already. */
export function sinkClears(
  { stream, read, targets }: StreamPlan,
  sink: string,
  message: Clear,
  copies: SinkCopies,
): readonly (Batch | Clear)[] {
  const { casts, table } = targets[sink]!;
  const isOnce = read.once === true && showsEachOnce(table);
  if (isOnce && message.origins?.shownBy(copies(stream))?.(0)) return [];
  return tablesOf(table).flatMap((each): readonly (Batch | Clear)[] => {
    const clear: Clear = { ...message, stream: each.stream };
    const [first, ...rest] = casts.slice(casts.findIndex((cast) => cast.clear !== undefined));
    if (first?.clear === undefined) return [clear];
    const made = first.clear(clear);
    if (made.kind === 'clear') return [made];
    let batches: readonly Batch[] = [made];
    for (const cast of rest) batches = batches.flatMap((one) => cast.apply(one));
    return batches;
  });
}

/** Without the rows that a copy shows; rows of a copy that does not tell what it shows come once more from another. */
function notShown(batch: Batch, copies: readonly Json[]): Batch {
  if (batch.origins === undefined) return batch.select(new Uint32Array());
  const shown = batch.origins.shownBy(copies);
  if (shown === undefined) return batch;
  const all = Array.from({ length: batch.rowCount }, (_, row) => row);
  const kept = all.filter((row) => !shown(row));
  return kept.length === all.length ? batch : batch.select(Uint32Array.from(kept));
}
