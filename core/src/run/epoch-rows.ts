/** What came to a sink since its last commit, read once more: for the search of rows that it refuses. */
import type { Batch, Clear } from '@sluice/sdk';
import { takenStreams } from '../plan/routed-table.js';
import type { SiftRun } from './sift.js';
import { sinkClears, sinkRows } from './sink-rows.js';
import { TransformRows } from './transform-rows.js';

/** What is written to a sink, in order: batches with the place of their first row, and what clears a stream. */
export type Written =
  | { readonly kind: 'rows'; readonly batch: Batch; readonly first: number }
  | { readonly kind: 'clear'; readonly clear: Clear };

/** Behind the committed position, up to where the epoch was refused. */
export async function* epochRows(run: SiftRun): AsyncGenerator<Written> {
  const { plan, split, generation, streams, branch, at, context } = run;
  const { sink } = branch.sink.key;
  const reads = streams.map(({ read }) => ({ ...read, generation }));
  const { batchRows, batchBytes } = plan;
  const request = { split, at, cuts: [], reads, batchRows, batchBytes, tolerant: true };
  const transforms = new Map(streams.map((each) => [each.stream, new TransformRows(each, true, run.rung)]));
  const arrived = new Map<string, number>();
  const taken = takenStreams(streams, sink);
  let rowsRead = 0;
  const placed = (stream: string, batch: Batch): Written => {
    const first = arrived.get(stream) ?? 0;
    arrived.set(stream, first + batch.rowCount);
    return { kind: 'rows', batch, first };
  };
  const reader = await plan.source.open(request, context);
  try {
    for await (const message of reader) {
      context.signal.throwIfAborted();
      // What the sink refused came before the stream changed.
      if (message.kind === 'schema') return;
      if (message.kind === 'checkpoint') continue;
      const stream = streams.find((each) => each.stream === message.stream)!;
      if (stream.targets[sink] === undefined) continue;
      if (message.kind === 'clear') {
        for (const one of sinkClears(stream, sink, message, branch.copies))
          yield one.kind === 'batch' ? placed(message.stream, one) : { kind: 'clear', clear: one };
        continue;
      }
      const passing = transforms.get(message.stream)!.pass(message);
      for (const batch of passing.batches) {
        if (!taken.get(message.stream)!.has(batch.stream)) continue;
        for (const one of sinkRows(stream, sink, batch, branch.copies).batches)
          yield placed(message.stream, one);
      }
      rowsRead += passing.read.rows;
      if (rowsRead >= run.rowsRead) return;
    }
  } finally {
    await reader.close();
  }
}
