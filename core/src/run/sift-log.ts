/**
 * Finds the rows of a log that a sink refuses. What a change means depends on those before it: a row that takes over a
 * unique value may only come behind the one that gives it up. So they are never offered without what came before: the
 * epoch is written up to one row after another, by halves, until the first that is refused stands last; then again
 * without it. Nothing is committed.
 */
import { type SluiceError, toSluiceError, type Writer } from '@sluice/sdk';
import { epochRows } from './epoch-rows.js';
import { openSifter, refusalKey, type SiftRun, without } from './sift.js';

/**
 * Adds what it finds to `known`, until nothing more is refused or `known` has more than the job allows; says whether
 * that was anything.
 */
export async function siftLog(run: SiftRun, allows: (rejected: number) => boolean): Promise<boolean> {
  const { known } = run;
  const before = known.size;
  const writer = await openSifter(run);
  try {
    while (allows(known.size)) {
      let refusal = await refusalOf(run, writer, Infinity);
      if (refusal === undefined) break;
      // Up to `lo` rows are taken, up to `hi` they are not.
      let [lo, hi] = [0, refusal.offered];
      while (hi - lo > 1) {
        const middle = (lo + hi) >> 1;
        const found = await refusalOf(run, writer, middle);
        if (found === undefined) lo = middle;
        else [refusal, hi] = [found, middle];
      }
      if (refusal.last === undefined) break;
      known.set(refusal.last, refusal.error);
    }
  } finally {
    await writer.close();
  }
  return known.size > before;
}

interface Refusal {
  readonly error: SluiceError;
  /** How many rows were offered, and which was the last. */
  readonly offered: number;
  readonly last: string | undefined;
}

/** What the sink says of the first `most` rows that are not known to be refused. */
async function refusalOf(run: SiftRun, writer: Writer, most: number): Promise<Refusal | undefined> {
  let offered = 0;
  let last: string | undefined;
  try {
    for await (const written of epochRows(run)) {
      if (written.kind === 'clear') {
        await writer.write(written.clear);
        continue;
      }
      const { batch, places } = without(written.batch, written.first, run.known);
      const count = Math.min(batch.rowCount, most - offered);
      if (count === 0) continue;
      last = refusalKey(batch.stream, places[count - 1]!);
      offered += count;
      await writer.write(count === batch.rowCount ? batch : batch.select(range(count)));
      if (offered >= most) break;
    }
    await writer.check?.();
    return undefined;
  } catch (error) {
    const coded = toSluiceError(error);
    if (coded.class !== 'data') throw error;
    return { error: coded, offered, last };
  } finally {
    await writer.abort();
  }
}

function range(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}
