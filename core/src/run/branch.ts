/** A branch: one sink's side of a lane. What it has accepted since its last commit, and when the next one is due. */
import {
  type Batch,
  type Checkpoint,
  type Clear,
  type Context,
  failpoint,
  type SinkJob,
  type Split,
  type Writer,
} from '@sluice/sdk';
import type { Clock } from '../clock.js';
import { letterId, type Tolerance } from '../dead-letters/letter-box.js';
import { coreErrors } from '../errors.js';
import type { DeadLetter, EpochStats, PositionState } from '../ledger/ledger.js';
import type { SinkPlan, StreamPlan } from '../plan/flow-plan.js';
import { takenStreams } from '../plan/routed-table.js';
import { type CommitTarget, commitEpoch, versionOf } from './commit-epoch.js';
import { EpochMeter } from './epoch-meter.js';
import { type RefusedBySink, refusalKey, without } from './sift.js';
import { type SinkCopies, sinkClears, sinkRows } from './sink-rows.js';
import type { StreamCounter } from './stream-counter.js';
import { changeOf, type Passing, payloadOf, type RefusedRow } from './transform-rows.js';

export interface BranchRun {
  readonly sink: SinkPlan;
  /** Undefined: nothing of the split is committed in this sink. */
  readonly position: PositionState | undefined;
  readonly job: SinkJob;
  readonly target: CommitTarget;
  /** Undefined: the first row that is refused ends the flow. */
  readonly tolerance: Tolerance | undefined;
  /** Rows behind the position that the sink is known to refuse. */
  readonly refused: RefusedBySink;
  readonly copies: SinkCopies;
  readonly counter: (stream: string) => StreamCounter;
  /** `delayMs`: since the last of the changes was committed at the source, where that is known. */
  readonly onCommit: (epoch: number, stats: EpochStats, sealed: boolean, delayMs?: number) => void;
}

/** What a split reads, the same for all branches of its lane. */
export interface BranchSplit {
  readonly split: Split;
  readonly generation: number;
  readonly streams: readonly StreamPlan[];
  readonly clock: Clock;
}

/** A checkpoint's place in the lane's order. */
export interface Place {
  readonly ordinal: number;
  readonly checkpoint: Checkpoint;
}

/** A row that becomes a dead letter; `row` is its place among those that came to the stage in this epoch. */
type Rejection = Omit<RefusedRow, 'stage'> & { readonly stage: DeadLetter['stage'] };

/** Dead letters that are held before they are stored. */
const LETTERS_AT_ONCE = 1000;

/** A stream's rows in this branch since its last commit. */
class StreamTally {
  read = 0;
  bytes = 0;
  added = 0;
  filtered = 0;
  rejected = 0;
  passed = 0;
  /** Rows that have come to the sink; those that are refused among them. */
  arrived = 0;

  constructor(
    readonly counter: StreamCounter,
    /** Rows that had come to each stage at the last commit. */
    public entered: readonly number[],
    public base: readonly number[],
  ) {}
}

export class Branch {
  private readonly meter: EpochMeter;
  /** The streams that the sink takes. */
  private readonly plans: ReadonlyMap<string, StreamPlan>;
  /** By stream as it is read: the streams that the sink has tables for, which are several where rows are routed. */
  private readonly tables: ReadonlyMap<string, ReadonlySet<string>>;
  private readonly tallies = new Map<string, StreamTally>();
  private letters: DeadLetter[] = [];
  private epoch: number;
  /** Whether the rows that the sink is known to refuse are still ahead: they lie behind the first position. */
  private sifted: boolean;
  /** The last place that is committed in this lane. */
  committed: Place | undefined;
  /** When what is not committed here yet was committed at the source, the last of it. */
  private changedAt: number | undefined;
  /** Opened for the first thing that is to be written: a lane that finds nothing new leaves the sink alone. */
  private writer: Writer | undefined;

  constructor(
    readonly run: BranchRun,
    private readonly of: BranchSplit,
    private readonly context: Context,
  ) {
    this.meter = new EpochMeter(run.sink.epoch, of.clock.steady);
    this.epoch = run.position?.epoch ?? 0;
    this.sifted = run.refused.size > 0;
    this.tables = takenStreams(of.streams, run.sink.key.sink);
    this.plans = new Map(
      of.streams.flatMap((plan) =>
        plan.targets[run.sink.key.sink] === undefined ? [] : [[plan.stream, plan]],
      ),
    );
  }

  get sink(): SinkPlan {
    return this.run.sink;
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

  /** Rows that were read since the last commit. */
  get rowsRead(): number {
    return [...this.tallies.values()].reduce((sum, { read }) => sum + read, 0);
  }

  async write(passing: Passing): Promise<void> {
    const { stream, read, added, filtered, refused, batches, entered } = passing;
    const plan = this.plans.get(stream);
    if (plan === undefined) return;
    const tally = this.tallyOf(stream, entered);
    tally.counter.read(read.rows, read.bytes);
    this.transformed(tally, added, filtered);
    tally.read += read.rows;
    tally.bytes += read.bytes;
    tally.entered = entered;
    this.meter.add(read.rows, read.bytes);
    for (const { stage, row, error, payload, change } of refused) {
      const base = tally.base[stage === 'read' ? 0 : stage + 1] ?? 0;
      this.reject(stream, tally, { stage, row: row - base, error, payload, change });
    }
    for (const batch of batches) {
      if (!this.tables.get(stream)!.has(batch.stream)) {
        this.transformed(tally, 0, batch.rowCount);
        continue;
      }
      const own = sinkRows(plan, this.sink.key.sink, batch, this.run.copies);
      this.transformed(tally, own.added, own.filtered);
      for (const one of own.batches) await this.place(one, tally);
    }
    if (this.letters.length >= LETTERS_AT_ONCE) await this.storeLetters();
  }

  async clear(message: Clear): Promise<void> {
    const plan = this.plans.get(message.stream);
    if (plan === undefined) return;
    for (const cleared of sinkClears(plan, this.sink.key.sink, message, this.run.copies)) {
      this.meter.add(0, 0);
      if (cleared.kind === 'clear') {
        await (await this.open()).write(cleared);
        continue;
      }
      const tally = this.tallyOf(message.stream, []);
      this.transformed(tally, cleared.rowCount, 0);
      await this.place(cleared, tally);
    }
  }

  /** A place that is worth keeping although no row led up to it: the source need not go that way again. */
  reach({ checkpoint }: Place): void {
    this.changedAt = checkpoint.committedAt ?? this.changedAt;
    const { split } = this.of;
    const kept = this.committed?.checkpoint.position ?? this.run.position?.position ?? split.start;
    if (JSON.stringify(kept) !== JSON.stringify(checkpoint.position)) this.meter.add(0, 0);
  }

  async commit(place: Place): Promise<void> {
    const { sink, target, onCommit, tolerance } = this.run;
    const { split, generation } = this.of;
    this.checkCounts();
    await this.storeLetters();
    const { flow } = sink.key;
    const rows = [...this.tallies].map(([stream, { read, rejected }]) => ({ flow, stream, read, rejected }));
    tolerance?.limit.check(rows);
    const stats = this.meter.take();
    const number = this.epoch + 1;
    const { fence } = target.lease;
    const { position, sealed = false } = place.checkpoint;
    const epoch = { split, number, generation, fence, version: versionOf(fence, number), position, sealed };
    await commitEpoch(target, await this.open(), epoch, stats);
    tolerance?.limit.count(rows);
    this.epoch = number;
    this.committed = place;
    this.sifted = false;
    for (const [stream, { counter, passed, entered }] of this.tallies) {
      counter.committed(passed);
      this.tallies.set(stream, new StreamTally(counter, entered, entered));
    }
    const { changedAt } = this;
    this.changedAt = undefined;
    if (changedAt === undefined) onCommit(number, stats, sealed);
    else onCommit(number, stats, sealed, Math.max(0, this.of.clock.wall() - changedAt));
  }

  /** Forgets, and no longer counts, everything since the last commit. */
  async abort(): Promise<void> {
    for (const tally of this.tallies.values()) tally.counter.undo(tally);
    this.tallies.clear();
    await this.writer?.abort();
  }

  async close(): Promise<void> {
    await this.writer?.close();
  }

  private async open(): Promise<Writer> {
    const { job, sink } = this.run;
    const { split, generation, streams } = this.of;
    const tables = streams.flatMap(({ targets }) => targets[sink.key.sink]?.table ?? []);
    this.writer ??= await sink.sink.open({ job, split, generation, tables }, this.context);
    return this.writer;
  }

  private tallyOf(stream: string, entered: readonly number[]): StreamTally {
    let tally = this.tallies.get(stream);
    if (tally === undefined) {
      const none = entered.map(() => 0);
      tally = new StreamTally(this.run.counter(stream), none, none);
      this.tallies.set(stream, tally);
    }
    return tally;
  }

  private transformed(tally: StreamTally, added: number, filtered: number): void {
    tally.counter.transformed(added, filtered);
    tally.added += added;
    tally.filtered += filtered;
  }

  private async place(batch: Batch, tally: StreamTally): Promise<void> {
    const first = tally.arrived;
    tally.arrived += batch.rowCount;
    let kept = batch;
    if (this.sifted) {
      kept = without(batch, first, this.run.refused).batch;
      for (let i = 0; kept !== batch && i < batch.rowCount; i++) {
        const error = this.run.refused.get(refusalKey(batch.stream, first + i));
        if (error === undefined) continue;
        const [payload, change] = [payloadOf(batch, i), changeOf(batch, i)];
        this.reject(batch.stream, tally, { stage: 'sink', row: first + i, error, payload, change });
      }
    }
    if (kept.rowCount > 0) await (await this.open()).write(kept);
    tally.passed += kept.rowCount;
    tally.counter.passed(kept.rowCount);
  }

  private reject(
    stream: string,
    tally: StreamTally,
    { stage, row, error: { code, message, details }, payload, change }: Rejection,
  ): void {
    const { target, sink } = this.run;
    const { split, generation, clock } = this.of;
    const place = {
      flow: sink.key.flow,
      sink: sink.key.sink,
      stream,
      split: split.id,
      generation,
      epoch: this.epoch + 1,
      row,
      stage,
    };
    const { run } = target.lease.holder;
    const error = { code, message, details };
    this.letters.push({ id: letterId(place), ...place, ...change, error, payload, run, at: clock.wall() });
    tally.rejected++;
    tally.counter.rejected(1);
  }

  private async storeLetters(): Promise<void> {
    if (this.letters.length === 0) return;
    await this.run.tolerance!.store.add(this.letters);
    failpoint('commit.after-letters');
    this.letters = [];
  }

  /** Every row that was read or added has passed, was filtered or is a dead letter. */
  private checkCounts(): void {
    for (const [stream, { read, added, filtered, rejected, passed }] of this.tallies) {
      if (read + added === passed + filtered + rejected) continue;
      throw coreErrors.countsDiffer(
        `stream ${stream}: ${read} rows read and ${added} added, but ${passed} passed, ${filtered} filtered and ${rejected} rejected`,
        { details: { stream, read, added, passed, filtered, rejected } },
      );
    }
  }
}
