/**
 * Finds the rows that a sink refuses, when it has refused an epoch: reads from the last committed position once more,
 * offers each batch by itself and forgets it again, and halves those that are refused until the culprits are alone.
 * Nothing is committed. The lane then starts over without these rows.
 */
import type { Batch, Context, Json, Rung, SluiceError, Split, Writer } from '@sluice/sdk';
import { toSluiceError } from '@sluice/sdk';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { takenStreams } from '../plan/routed-table.js';
import type { BranchRun } from './branch.js';
import { sinkClears, sinkRows } from './sink-rows.js';
import { splitAround } from './split-batch.js';
import { TransformRows } from './transform-rows.js';

/** Rows that a sink refuses, by stream and place among the rows that come to it behind a position. */
export type RefusedBySink = Map<string, SluiceError>;

export function refusalKey(stream: string, row: number): string {
  return `${row}/${stream}`;
}

/** A sink has refused rows, and the job tolerates that; which rows is not known yet. */
export class RowsRefused extends Error {
  constructor(
    readonly branch: BranchRun,
    /** Rows that were read since the branch's last commit: the culprits are among them. */
    readonly rowsRead: number,
    override readonly cause: unknown,
  ) {
    super('a sink refuses rows');
  }
}

export interface SiftRun {
  readonly plan: FlowPlan;
  readonly split: Split;
  readonly generation: number;
  readonly streams: readonly StreamPlan[];
  readonly branch: BranchRun;
  /** The branch's committed position. */
  readonly at: Json;
  readonly rowsRead: number;
  /** What is known already. */
  readonly known: RefusedBySink;
  readonly rung: Rung | undefined;
  readonly context: Context;
}

/** Adds what it finds to `known`; says whether that was anything. */
export async function sift(run: SiftRun): Promise<boolean> {
  const { plan, split, generation, streams, branch, at, known, context } = run;
  const { sink, job } = branch;
  const before = known.size;
  const tables = streams.flatMap(({ targets }) => targets[sink.key.sink]?.table ?? []);
  const writer = await sink.sink.open({ job, split, generation, tables }, context);
  try {
    const reads = streams.map(({ read }) => ({ ...read, generation }));
    const { batchRows, batchBytes } = plan;
    const request = { split, at, cuts: [], reads, batchRows, batchBytes, tolerant: true };
    const reader = await plan.source.open(request, context);
    try {
      const transforms = new Map(
        streams.map((stream) => [stream.stream, new TransformRows(stream, true, run.rung)]),
      );
      const arrived = new Map<string, number>();
      const taken = takenStreams(streams, sink.key.sink);
      let rowsRead = 0;
      for await (const message of reader) {
        context.signal.throwIfAborted();
        // What the sink refused came before the stream changed.
        if (message.kind === 'schema') break;
        if (message.kind === 'checkpoint') continue;
        const stream = streams.find((each) => each.stream === message.stream)!;
        if (stream.targets[sink.key.sink] === undefined) continue;
        const offerAll = async (batches: readonly Batch[]) => {
          for (const batch of batches) {
            const first = arrived.get(message.stream) ?? 0;
            arrived.set(message.stream, first + batch.rowCount);
            await offer(writer, without(batch, first, known), known);
          }
        };
        if (message.kind === 'clear') {
          const cleared = sinkClears(stream, sink.key.sink, message, branch.copies);
          await offerAll(cleared.filter(({ kind }) => kind === 'batch') as Batch[]);
          continue;
        }
        const passing = transforms.get(message.stream)!.pass(message);
        for (const batch of passing.batches) {
          if (!taken.get(message.stream)!.has(batch.stream)) continue;
          await offerAll(sinkRows(stream, sink.key.sink, batch, branch.copies).batches);
        }
        rowsRead += passing.read.rows;
        if (rowsRead >= run.rowsRead) break;
      }
    } finally {
      await reader.close();
    }
  } finally {
    await writer.close();
  }
  return known.size > before;
}

/** Rows on their way to a sink, each with its place. */
export interface PlacedRows {
  readonly batch: Batch;
  readonly places: readonly number[];
}

/** The rows of a batch that are not known to be refused; the first has the place `first`. */
export function without(batch: Batch, first: number, known: RefusedBySink): PlacedRows {
  const all = Array.from({ length: batch.rowCount }, (_, i) => i);
  const kept = all.filter((i) => !known.has(refusalKey(batch.stream, first + i)));
  const same = kept.length === batch.rowCount;
  return {
    batch: same ? batch : batch.select(Uint32Array.from(kept)),
    places: kept.map((i) => first + i),
  };
}

async function offer(writer: Writer, { batch, places }: PlacedRows, known: RefusedBySink): Promise<void> {
  if (batch.rowCount === 0) return;
  let refusal: SluiceError | undefined;
  try {
    await writer.write(batch);
    await writer.check?.();
  } catch (error) {
    refusal = toSluiceError(error);
    if (refusal.class !== 'data') throw error;
  } finally {
    await writer.abort();
  }
  if (refusal === undefined) return;
  if (batch.rowCount === 1) {
    known.set(refusalKey(batch.stream, places[0]!), refusal);
    return;
  }
  for (const { part, from } of splitAround(batch, refusal)) {
    await offer(writer, { batch: part, places: places.slice(from, from + part.rowCount) }, known);
  }
}
