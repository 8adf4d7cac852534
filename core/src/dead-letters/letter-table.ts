/** Dead letters as a stream of rows, for those that are kept in a sink. */
import {
  Batch,
  type Context,
  field,
  type JsonObject,
  type Row,
  type Sink,
  type StreamSchema,
  streamSchema,
  type TablePlan,
  types,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { DeadLetter } from '../ledger/ledger.js';

const required = { nullable: false };

export const letterSchema: StreamSchema = streamSchema(
  'dead_letters',
  [
    field('id', types.string, required),
    field('job', types.string, required),
    field('flow', types.string, required),
    field('sink', types.string, required),
    field('stream', types.string, required),
    field('split', types.string, required),
    field('generation', types.int64, required),
    field('epoch', types.int64, required),
    field('row', types.int64, required),
    field('stage', types.string, required),
    field('code', types.string, required),
    field('message', types.string, required),
    field('details', types.json, required),
    field('payload', types.json, required),
    field('run', types.string, required),
    field('at', types.timestamp, required),
    field('op', types.string),
    field('position', types.string),
  ],
  ['id', 'job'],
);

/**
 * How a sink keeps the letters: by their ids where it can, so that a letter that comes again is still one; else at the
 * end. Throws `SLUICE-CORE-0008` when it can do neither.
 */
export async function planLetterTable(name: string, sink: Sink, context: Context): Promise<TablePlan> {
  const { modes } = sink.capabilities;
  const write = modes.upsert !== undefined ? 'upsert' : 'append';
  if (modes[write] === undefined) {
    throw coreErrors.refused(`connection ${name} cannot keep dead letters: it neither upserts nor appends`);
  }
  const { stream } = letterSchema;
  const request = {
    stream,
    target: stream,
    schema: letterSchema,
    read: 'incremental',
    write,
    save: 'keep',
  } as const;
  const [table] = await sink.plan([{ ...request, options: {} as JsonObject, encodings: [] }], context);
  return table!;
}

export function letterBatch(job: string, letters: readonly DeadLetter[]): Batch {
  const rows = letters.map(
    ({ generation, epoch, row, stage, error: { code, message, details }, payload, at, ...rest }): Row => ({
      ...rest,
      job,
      generation: BigInt(generation),
      epoch: BigInt(epoch),
      row: BigInt(row),
      stage: typeof stage === 'number' ? `transform ${stage + 1}` : stage,
      code,
      message,
      details: JSON.stringify(details),
      payload: JSON.stringify(payload),
      at: BigInt(at) * 1000n,
    }),
  );
  return Batch.ofRows(letterSchema, rows, { op: 'upsert' });
}
