/** A branch: one sink's side of a lane. What it has accepted since its last commit, and when the next one is due. */
import type { Batch, BoundTransform, Checkpoint, Clear, Context, SinkJob, Split, Writer } from '@sluice/sdk';
import type { EpochStats, PositionState } from '../ledger/ledger.js';
import type { SinkPlan, StreamPlan } from '../plan/flow-plan.js';
import { type CommitTarget, commitEpoch, versionOf } from './commit-epoch.js';
import { EpochMeter } from './epoch-meter.js';
import type { StreamCounter } from './stream-counter.js';

export interface BranchRun {
  readonly sink: SinkPlan;
  /** Undefined: nothing of the split is committed in this sink. */
  readonly position: PositionState | undefined;
  readonly job: SinkJob;
  readonly target: CommitTarget;
  readonly counter: (stream: string) => StreamCounter;
  readonly onCommit: (epoch: number, stats: EpochStats, sealed: boolean) => void;
}

/** What a split reads, the same for all branches of its lane. */
export interface BranchSplit {
  readonly split: Split;
  readonly generation: number;
  readonly streams: readonly StreamPlan[];
  readonly now: () => number;
}

/** Rows of one stream as the flow's transforms have made them, and what happened to them there. */
export interface Passing {
  readonly stream: string;
  readonly read: { readonly rows: number; readonly bytes: number };
  readonly added: number;
  readonly filtered: number;
  readonly batches: readonly Batch[];
}

/** A checkpoint's place in the lane's order. */
export interface Place {
  readonly ordinal: number;
  readonly checkpoint: Checkpoint;
}

export class Branch {
  private readonly meter: EpochMeter;
  private readonly casts: ReadonlyMap<string, readonly BoundTransform[]>;
  private readonly uncounted = new Map<StreamCounter, number>();
  private epoch: number;
  /** The last place that is committed in this lane. */
  committed: Place | undefined;

  private constructor(
    private readonly r: BranchRun,
    private readonly of: BranchSplit,
    private readonly writer: Writer,
  ) {
    this.meter = new EpochMeter(r.sink.epoch, of.now);
    this.epoch = r.position?.epoch ?? 0;
    this.casts = new Map(
      of.streams.flatMap(({ stream, targets }) => {
        const target = targets[r.sink.key.sink];
        return target === undefined ? [] : [[stream, target.casts]];
      }),
    );
  }

  static async open(run: BranchRun, of: BranchSplit, context: Context): Promise<Branch> {
    const { split, generation, streams } = of;
    const tables = streams.flatMap(({ targets }) => targets[run.sink.key.sink]?.table ?? []);
    const writer = await run.sink.sink.open({ job: run.job, split, generation, tables }, context);
    return new Branch(run, of, writer);
  }

  get sink(): SinkPlan {
    return this.r.sink;
  }

  /** Whether nothing waits for a commit. */
  get isEmpty(): boolean {
    return this.meter.isEmpty;
  }

  get isDue(): boolean {
    return this.meter.isDue;
  }

  /** Milliseconds until a commit is due; infinite while nothing waits for one. */
  get msLeft(): number {
    return this.meter.msLeft;
  }

  async write({ stream, read, added, filtered, batches }: Passing): Promise<void> {
    const casts = this.casts.get(stream);
    if (casts === undefined) return;
    const counter = this.r.counter(stream);
    counter.read(read.rows, read.bytes);
    counter.transformed(added, filtered);
    this.meter.add(read.rows, read.bytes);
    for (const batch of batches) {
      let out: readonly Batch[] = [batch];
      for (const cast of casts) out = out.flatMap((one) => cast.apply(one));
      for (const one of out) {
        await this.writer.write(one);
        counter.passed(one.rowCount);
        this.uncounted.set(counter, (this.uncounted.get(counter) ?? 0) + one.rowCount);
      }
    }
  }

  async clear(message: Clear): Promise<void> {
    if (!this.casts.has(message.stream)) return;
    this.meter.add(0, 0);
    await this.writer.write(message);
  }

  async commit(place: Place): Promise<void> {
    const { target, onCommit } = this.r;
    const { split, generation } = this.of;
    const stats = this.meter.take();
    const number = this.epoch + 1;
    const { fence } = target.lease;
    const { position, sealed = false } = place.checkpoint;
    const epoch = { split, number, generation, fence, version: versionOf(fence, number), position, sealed };
    await commitEpoch(target, this.writer, epoch, stats);
    this.epoch = number;
    this.committed = place;
    for (const [counter, rows] of this.uncounted) counter.committed(rows);
    this.uncounted.clear();
    onCommit(number, stats, sealed);
  }

  abort(): Promise<void> {
    return this.writer.abort();
  }

  close(): Promise<void> {
    return this.writer.close();
  }
}
