/** A lane: one split, its transforms, and a branch for every sink, in one order. */
import {
  type Batch,
  type Context,
  type Json,
  type Message,
  type Reader,
  type Rung,
  type Split,
  streamError,
  toSluiceError,
} from '@sluice/sdk';
import type { Clock } from '../clock.js';
import { coreErrors } from '../errors.js';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { LONGEST_TIMER } from './backoff.js';
import { Branch, type BranchRun, type Place } from './branch.js';
import type { Intake } from './intake.js';
import type { LiveSinks } from './live-sinks.js';
import { ShapeChanged } from './shape-changed.js';
import { RowsRefused } from './sift.js';
import { type Passing, TransformRows } from './transform-rows.js';

export interface LaneRun {
  readonly plan: FlowPlan;
  readonly split: Split;
  readonly generation: number;
  /** Where reading begins: the committed position of all branches, or the split's start. */
  readonly at: Json;
  /** Whether a log is read on and on as it grows. */
  readonly unending: boolean;
  /** Whether the source is told what all branches have committed. */
  readonly acknowledges: boolean;
  /** Whether it is told that all sinks have what lies before the lane's beginning. */
  readonly acknowledgesStart: boolean;
  /** Whether a place is one that the lane is to end at. */
  readonly isEnough: (position: Json) => boolean;
  /** The split's streams. */
  readonly streams: readonly StreamPlan[];
  readonly branches: readonly BranchRun[];
  readonly sinks: LiveSinks;
  /** Whether the job tolerates rows that are refused. */
  readonly tolerant: boolean;
  readonly context: Context;
  /** The caller lets it go. */
  readonly intake: Intake;
  /** Aborted: finish the epoch at the next checkpoint, then leave. */
  readonly stop: AbortSignal;
  /** Batches are taken down to this rung before the sinks see them; for tests. */
  readonly rung: Rung | undefined;
  readonly clock: Clock;
}

/** `left`: every sink of the lane was left behind; the flow goes on with others. */
export type LaneEnd = 'sealed' | 'drained' | 'stopped' | 'left';

/**
 * Runs a lane to its end. What is not committed when it rejects is forgotten by writers and reader. Rejects with
 * {@link RowsRefused} when a sink refuses rows and the job tolerates that, with {@link ShapeChanged} when a stream has
 * got another shape.
 */
export async function runLane(run: LaneRun): Promise<LaneEnd> {
  const { plan, split, generation, at, context } = run;
  const branches = new Branches(run.sinks, run.tolerant && plan.capabilities.replay, context, run);
  let reader: Reader | undefined;
  try {
    const reads = run.streams.map(({ read }) => ({ ...read, generation }));
    const { batchRows, batchBytes } = plan;
    const { tolerant, unending } = run;
    const request = {
      split,
      at,
      cuts: [],
      reads,
      batchRows,
      batchBytes,
      tolerant,
      ...(unending && { unending }),
    };
    reader = await plan.source.open(request, context);
    const resumed = run.branches.every(({ position }) => position !== undefined && position.epoch > 0);
    if (resumed && run.acknowledgesStart) await reader.ack?.(at);
    return await new Lane(run, branches, reader).run();
  } catch (error) {
    await branches.abort();
    throw error;
  } finally {
    await Promise.allSettled([reader?.close(), branches.close()]);
  }
}

/** The branches of a lane whose sinks the flow still works with. */
class Branches {
  private branches: Branch[];
  /** Whether a sink was left behind since the lane began. */
  lost = false;

  constructor(
    private readonly sinks: LiveSinks,
    /** Whether rows that a sink refuses can be looked for: the source has to be read once more. */
    private readonly sifts: boolean,
    private readonly context: Context,
    of: LaneRun,
  ) {
    this.branches = of.branches.map((run) => new Branch(run, of, context));
  }

  get list(): readonly Branch[] {
    return this.branches;
  }

  /** Does something with all branches at once. One that fails is left behind, or stops the flow. */
  async each(work: (branch: Branch) => Promise<void>): Promise<void> {
    await this.leaveDetached();
    const ends = await Promise.allSettled(this.branches.map(work));
    for (const [i, end] of ends.entries()) {
      if (end.status !== 'rejected') continue;
      const branch = this.branches[i]!;
      if (this.sifts && isRefusal(end.reason)) {
        throw new RowsRefused(branch.run, branch.rowsRead, end.reason);
      }
      this.sinks.failed(branch.sink, end.reason);
    }
    await this.leaveDetached();
  }

  async abort(): Promise<void> {
    await this.settle((branch) => branch.abort());
  }

  async close(): Promise<void> {
    await this.settle((branch) => branch.close());
  }

  /** Also sinks that another lane has left behind. */
  private async leaveDetached(): Promise<void> {
    const left = this.branches.filter(({ sink }) => !this.sinks.has(sink.key.sink));
    if (left.length === 0) return;
    this.lost = true;
    this.branches = this.branches.filter((branch) => !left.includes(branch));
    await Promise.allSettled(left.map((branch) => branch.abort().finally(() => branch.close())));
  }

  private async settle(work: (branch: Branch) => Promise<void>): Promise<void> {
    for (const end of await Promise.allSettled(this.branches.map(work))) {
      if (end.status === 'rejected') {
        this.context.log.debug('a writer could not be given up', { error: String(end.reason) });
      }
    }
  }
}

/** Whether a sink has refused rows, rather than that too many were refused before. */
function isRefusal(error: unknown): boolean {
  const { class: errorClass, code } = toSluiceError(error);
  return errorClass === 'data' && code !== coreErrors.tooManyRejected.entry.code;
}

class Lane {
  private readonly streams: ReadonlyMap<string, TransformRows>;
  /** The checkpoint that everything accepted so far leads up to. */
  private reached: Place | undefined;
  private checkpoints = 0;
  private acknowledged = 0;

  constructor(
    private readonly r: LaneRun,
    private readonly branches: Branches,
    private readonly reader: Reader,
  ) {
    this.streams = new Map(
      r.streams.map((plan) => [plan.stream, new TransformRows(plan, r.tolerant, r.rung)]),
    );
  }

  async run(): Promise<LaneEnd> {
    const messages = this.r.intake.of(this.reader);
    let next = messages.next();
    for (;;) {
      const arrived = await this.arrival(next);
      if (arrived === 'woken') {
        if (this.r.stop.aborted) {
          if (await this.leave()) return 'stopped';
        } else {
          await this.commit(this.reached!, ({ isDue }) => isDue);
        }
        continue;
      }
      if (arrived.done === true) break;
      this.r.context.signal.throwIfAborted();
      next = messages.next();
      next.catch(() => {});
      if (await this.take(arrived.value)) return 'sealed';
      this.r.intake.done(arrived.value);
      if (arrived.value.kind === 'checkpoint' && this.r.isEnough(arrived.value.position)) break;
      if (this.branches.list.length === 0) return 'left';
      if (this.r.stop.aborted && (await this.leave())) return 'stopped';
    }
    if (this.reached !== undefined) await this.commit(this.reached, ({ isEmpty }) => !isEmpty);
    if (!this.isEmpty || this.r.split.phase === 'bulk') {
      throw coreErrors.endUnmarked(`split ${this.r.split.id} ended without a checkpoint behind its last row`);
    }
    return 'drained';
  }

  private get isEmpty(): boolean {
    return this.branches.list.every(({ isEmpty }) => isEmpty);
  }

  /**
   * The next message. While the lane rests at a checkpoint it is also woken when gathered rows have waited long
   * enough, or when it should stop.
   */
  private arrival(next: Promise<IteratorResult<Message>>): Promise<IteratorResult<Message> | 'woken'> {
    const rests = this.isEmpty || this.reached !== undefined;
    if (!rests) return next;
    return new Promise((resolve, reject) => {
      const wait = Math.min(...this.branches.list.map(({ msLeft }) => msLeft));
      // A bound that is further off needs no alarm while the lane rests.
      const timer = wait <= LONGEST_TIMER ? setTimeout(wake, Math.max(0, wait)) : undefined;
      const { stop } = this.r;
      if (!stop.aborted) stop.addEventListener('abort', wake);
      next.then(resolve, reject).finally(clear);
      function wake() {
        clear();
        resolve('woken');
      }
      function clear() {
        clearTimeout(timer);
        stop.removeEventListener('abort', wake);
      }
    });
  }

  /** Handles a message; true when the split is sealed and committed. */
  private async take(message: Message): Promise<boolean> {
    switch (message.kind) {
      case 'batch': {
        this.reached = undefined;
        const passing = this.transform(message);
        await this.branches.each((branch) => branch.write(passing));
        return false;
      }
      case 'checkpoint': {
        const sealed = message.sealed === true;
        this.reached = { ordinal: ++this.checkpoints, checkpoint: message };
        if (this.r.split.phase !== 'bulk')
          for (const branch of this.branches.list) branch.reach(this.reached);
        await this.commit(this.reached, ({ isDue }) => sealed || isDue);
        return sealed;
      }
      case 'clear':
        this.reached = undefined;
        await this.branches.each((branch) => branch.clear(message));
        return false;
      case 'schema':
        if (this.r.split.phase === 'bulk') {
          throw coreErrors.sourceDrifted(
            `stream ${message.schema.stream} changed its columns while it was copied`,
            { details: { stream: message.schema.stream } },
          );
        }
        if (this.reached !== undefined) await this.commit(this.reached, ({ isEmpty }) => !isEmpty);
        throw new ShapeChanged(message.schema);
    }
  }

  private transform(batch: Batch): Passing {
    const rows = this.streams.get(batch.stream);
    if (rows === undefined) {
      throw coreErrors.sourceDrifted(
        `split ${this.r.split.id} yielded rows of ${batch.stream}, which is not planned`,
      );
    }
    try {
      return rows.pass(batch);
    } catch (error) {
      throw streamError(error, batch.stream);
    }
  }

  /** Commits the branches that `when` names, and tells the source what it may forget. */
  private async commit(place: Place, when: (branch: Branch) => boolean): Promise<void> {
    await this.branches.each(async (branch) => {
      if (when(branch)) await branch.commit(place);
    });
    const { list, lost } = this.branches;
    if (!this.r.acknowledges || lost) return;
    const least = list
      .map(({ committed }) => committed)
      .reduce((a, b) => ((a?.ordinal ?? 0) <= (b?.ordinal ?? 0) ? a : b));
    if (least === undefined || least.ordinal <= this.acknowledged) return;
    this.acknowledged = least.ordinal;
    await this.reader.ack?.(least.checkpoint.position);
  }

  /**
   * A graceful stop: true when the lane can leave now. A split that cannot be resumed has nothing to save, and one
   * that has gathered rows behind its last checkpoint reads on to the next.
   */
  private async leave(): Promise<boolean> {
    if (this.r.split.volatile) {
      await this.branches.each((branch) => branch.abort());
      return true;
    }
    if (this.reached !== undefined) await this.commit(this.reached, ({ isEmpty }) => !isEmpty);
    return this.isEmpty;
  }
}
