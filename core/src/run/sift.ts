/**
 * Finds the rows that a sink refuses, when it has refused an epoch: reads from the last committed position once more,
 * offers each batch by itself and forgets it again, and halves those that are refused until the culprits are alone.
 * Nothing is committed. The lane then starts over without these rows.
 */
import type { Batch, Context, Json, Rung, SluiceError, Split, Writer } from '@sluice/sdk';
import { toSluiceError } from '@sluice/sdk';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import type { BranchRun } from './branch.js';
import { epochRows } from './epoch-rows.js';
import { splitAround } from './split-batch.js';

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

/** A writer into which rows are tried. */
export function openSifter({ split, generation, streams, branch, context }: SiftRun): Promise<Writer> {
  const { sink, job } = branch;
  const tables = streams.flatMap(({ targets }) => targets[sink.key.sink]?.table ?? []);
  return sink.sink.open({ job, split, generation, tables }, context);
}

/** Adds what it finds to `known`; says whether that was anything. */
export async function sift(run: SiftRun): Promise<boolean> {
  const { known } = run;
  const before = known.size;
  const writer = await openSifter(run);
  try {
    for await (const written of epochRows(run)) {
      if (written.kind === 'rows') await offer(writer, without(written.batch, written.first, known), known);
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
