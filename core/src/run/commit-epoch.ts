/**
 * The four commit protocols, one function: what a lane does to make an epoch durable in one sink, in the only safe
 * order. The source is told last, by the lane, once all its sinks have committed.
 *
 * | step that is interrupted | what is left | what the next run does |
 * |---|---|---|
 * | before the sink has anything durable | positions as before | reads the epoch again |
 * | atomic: sink committed, ledger not | sink one epoch ahead | takes the sink's position over |
 * | two-phase: staged, not in the ledger | an orphan under the epoch's and fence's name | reads again; the orphan is removed |
 * | two-phase: `prepared` in the ledger, not published | both positions in the ledger | `recover`: publishes it |
 * | two-phase: published, ledger still `prepared` | the same | `recover` answers committed |
 * | keyed, append: flushed, ledger not | rows without a position | keyed: the same rows again; append: repeats them |
 * | ledger committed, source not acknowledged | source behind | acknowledged again at start |
 */
import { type Epoch, failpoint, type SplitRecord, type Writer } from '@sluice/sdk';
import type { EpochStats, Lease, Ledger, SinkKey } from '../ledger/ledger.js';

export interface CommitTarget {
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly key: SinkKey;
}

export async function commitEpoch(
  { ledger, lease, key }: CommitTarget,
  writer: Writer,
  epoch: Epoch,
  stats: EpochStats,
): Promise<void> {
  failpoint('commit.before-sink');
  switch (writer.protocol) {
    case 'atomic':
      await writer.commit(epoch);
      break;
    case 'two-phase': {
      const token = await writer.prepare(epoch);
      failpoint('commit.before-prepared');
      const { number, position, sealed, generation } = epoch;
      await ledger.prepare(lease, key, epoch.split.id, generation, {
        epoch: number,
        position,
        sealed,
        token,
      });
      failpoint('commit.after-prepared');
      await writer.commit(token);
      break;
    }
    default:
      await writer.flush(epoch);
  }
  failpoint('commit.before-ledger');
  await ledger.commit(lease, key, recordOf(epoch), stats);
  failpoint('commit.after-ledger');
}

/** The external version of an epoch: fence in the high 23 bits, number in the low 40. */
export function versionOf(fence: bigint, number: number): bigint {
  return (fence << 40n) | BigInt(number);
}

function recordOf(epoch: Epoch): SplitRecord {
  const { split, generation, position, sealed } = epoch;
  return { split, generation, epoch: epoch.number, position, sealed };
}
