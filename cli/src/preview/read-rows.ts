/** Reads the first rows of a planned stream through its transforms. */
import type { FlowPlan, StreamPlan } from '@sluice/core';
import type { Batch, Context, OpenRequest, Row, StreamSchema } from '@sluice/sdk';

export interface ReadRows {
  /** The shape behind the transforms. */
  readonly schema: StreamSchema;
  readonly rows: readonly Row[];
}

const MOST_BATCH_ROWS = 1024;
const BATCH_BYTES = 1 << 20;

export async function readRows(
  flow: FlowPlan,
  plan: StreamPlan,
  count: number,
  context: Context,
): Promise<ReadRows> {
  const { source } = flow;
  const read = { ...plan.read, generation: 1 };
  const rows: Row[] = [];
  let schema = plan.transforms.at(-1)?.out ?? read.schema;
  for await (const split of source.splits([read], [], context)) {
    if (rows.length >= count) break;
    const batchRows = Math.min(MOST_BATCH_ROWS, Math.max(1, count));
    const request = { split, at: split.start, cuts: [], reads: [read], batchRows, batchBytes: BATCH_BYTES };
    for await (const batch of batches(flow, plan, request, context)) {
      schema = batch.schema;
      rows.push(...batch.rows().slice(0, count - rows.length));
      if (rows.length >= count) break;
    }
  }
  return { schema, rows };
}

/** The batches of the stream in one split, transformed; the reader is closed also when the caller has enough. */
async function* batches(
  { source }: FlowPlan,
  { stream, transforms }: StreamPlan,
  request: OpenRequest,
  context: Context,
): AsyncGenerator<Batch> {
  const reader = await source.open(request, context);
  try {
    for await (const message of reader) {
      if (message.kind !== 'batch' || message.stream !== stream) continue;
      let made: readonly Batch[] = [message];
      for (const transform of transforms) made = made.flatMap((batch) => transform.apply(batch));
      yield* made.filter((batch) => batch.rowCount > 0);
    }
  } finally {
    await reader.close();
  }
}
