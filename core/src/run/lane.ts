/** A lane: one split, its transforms, one writer, in one order. */
import {
  Batch,
  type BoundTransform,
  type Checkpoint,
  type Context,
  type Message,
  type Reader,
  type Rung,
  type SinkJob,
  type Split,
  type Writer,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { EpochStats, PositionState } from '../ledger/ledger.js';
import type { FlowPlan, StreamPlan } from '../plan/flow-plan.js';
import { type CommitTarget, commitEpoch, versionOf } from './commit-epoch.js';
import { EpochMeter } from './epoch-meter.js';
import type { StreamCounter } from './stream-counter.js';

export interface LaneRun {
  readonly plan: FlowPlan;
  readonly split: Split;
  readonly generation: number;
  /** Undefined: nothing of the split is committed. */
  readonly position: PositionState | undefined;
  readonly streams: ReadonlyMap<string, { readonly plan: StreamPlan; readonly counter: StreamCounter }>;
  readonly target: CommitTarget;
  readonly sinkJob: SinkJob;
  readonly context: Context;
  /** Aborted: finish the epoch at the next checkpoint, then leave. */
  readonly stop: AbortSignal;
  /** Batches are taken down to this rung before the sink sees them; for tests. */
  readonly rung: Rung | undefined;
  readonly now: () => number;
  readonly onCommit: (split: Split, epoch: number, stats: EpochStats, sealed: boolean) => void;
}

export type LaneEnd = 'sealed' | 'drained' | 'stopped';

/** Runs a lane to its end. What is not committed when it rejects is forgotten by writer and reader. */
export async function runLane(run: LaneRun): Promise<LaneEnd> {
  const { plan, split, generation, position, context } = run;
  const plans = [...run.streams.values()].map((stream) => stream.plan);
  const reads = plans.map(({ read }) => ({ ...read, generation }));
  const writer = await plan.sink.open(
    { job: run.sinkJob, split, generation, tables: plans.map(({ table }) => table) },
    context,
  );
  let reader: Reader | undefined;
  try {
    const at = position === undefined || position.epoch === 0 ? split.start : position.position;
    const { batchRows, batchBytes } = plan;
    reader = await plan.source.open({ split, at, cuts: [], reads, batchRows, batchBytes }, context);
    if (position !== undefined && position.epoch > 0) await reader.ack?.(at);
    return await new Lane(run, writer, reader).run();
  } catch (error) {
    await writer.abort().catch((second) => context.log.debug('abort failed', { error: String(second) }));
    throw error;
  } finally {
    await Promise.allSettled([reader?.close(), writer.close()]);
  }
}

/** What `setTimeout` takes, in milliseconds; a bound that is further off needs no alarm while the lane rests. */
const LONGEST_TIMER = 2 ** 31 - 1;

class Lane {
  private readonly meter: EpochMeter;
  private epoch: number;
  /** The checkpoint that everything accepted so far leads up to. */
  private reached: Checkpoint | undefined;
  private readonly uncounted = new Map<StreamCounter, number>();

  constructor(
    private readonly r: LaneRun,
    private readonly writer: Writer,
    private readonly reader: Reader,
  ) {
    this.meter = new EpochMeter(r.plan.epoch, r.now);
    this.epoch = r.position?.epoch ?? 0;
  }

  async run(): Promise<LaneEnd> {
    const messages = this.reader[Symbol.asyncIterator]();
    let next = messages.next();
    for (;;) {
      const arrived = await this.arrival(next);
      if (arrived === 'woken') {
        if (this.r.stop.aborted) {
          if (await this.leave()) return 'stopped';
        } else {
          await this.commit(this.reached!);
        }
        continue;
      }
      if (arrived.done === true) break;
      this.r.context.signal.throwIfAborted();
      next = messages.next();
      next.catch(() => {});
      if (await this.take(arrived.value)) return 'sealed';
      if (this.r.stop.aborted && (await this.leave())) return 'stopped';
    }
    if (this.reached !== undefined && !this.meter.isEmpty) await this.commit(this.reached);
    if (!this.meter.isEmpty || this.r.split.phase === 'bulk') {
      throw coreErrors.endUnmarked(`split ${this.r.split.id} ended without a checkpoint behind its last row`);
    }
    return 'drained';
  }

  /**
   * The next message. While the lane rests at a checkpoint it is also woken when gathered rows have waited long
   * enough, or when it should stop.
   */
  private arrival(next: Promise<IteratorResult<Message>>): Promise<IteratorResult<Message> | 'woken'> {
    const rests = this.meter.isEmpty || this.reached !== undefined;
    if (!rests) return next;
    return new Promise((resolve, reject) => {
      const wait = this.meter.msLeft;
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
      case 'batch':
        this.reached = undefined;
        await this.pass(message);
        return false;
      case 'checkpoint': {
        this.reached = message;
        const sealed = message.sealed === true;
        if (sealed || this.meter.isDue) await this.commit(message);
        return sealed;
      }
      case 'clear':
        this.reached = undefined;
        this.meter.add(0, 0);
        await this.writer.write(message);
        return false;
      case 'schema':
        throw coreErrors.sourceDrifted(
          `stream ${message.schema.stream} changed its columns while it was read`,
          {
            details: { stream: message.schema.stream },
          },
        );
    }
  }

  private async pass(batch: Batch): Promise<void> {
    const stream = this.r.streams.get(batch.stream);
    if (stream === undefined) {
      throw coreErrors.sourceDrifted(
        `split ${this.r.split.id} yielded rows of ${batch.stream}, which is not planned`,
      );
    }
    const { counter, plan } = stream;
    counter.read(batch.rowCount, batch.byteSize);
    this.meter.add(batch.rowCount, batch.byteSize);
    let batches: readonly Batch[] = [onRung(batch, this.r.rung)];
    for (const transform of plan.transforms) batches = applyTransform(transform, batches, counter);
    for (const out of batches) {
      if (out.rowCount === 0) continue;
      await this.writer.write(onRung(out, this.r.rung));
      counter.passed(out.rowCount);
      this.uncounted.set(counter, (this.uncounted.get(counter) ?? 0) + out.rowCount);
    }
  }

  private async commit(reached: Checkpoint): Promise<void> {
    const { split, generation, target } = this.r;
    const stats = this.meter.take();
    const number = this.epoch + 1;
    const { fence } = target.lease;
    const sealed = reached.sealed === true;
    const { position } = reached;
    const epoch = { split, number, generation, fence, version: versionOf(fence, number), position, sealed };
    await commitEpoch(target, this.writer, this.reader, epoch, stats);
    this.epoch = number;
    for (const [counter, rows] of this.uncounted) counter.committed(rows);
    this.uncounted.clear();
    this.r.onCommit(split, number, stats, sealed);
  }

  /**
   * A graceful stop: true when the lane can leave now. A split that cannot be resumed has nothing to save, and one
   * that has gathered rows behind its last checkpoint reads on to the next.
   */
  private async leave(): Promise<boolean> {
    if (this.r.split.volatile) {
      await this.writer.abort();
      return true;
    }
    if (this.reached !== undefined && !this.meter.isEmpty) await this.commit(this.reached);
    return this.meter.isEmpty;
  }
}

function applyTransform(
  transform: BoundTransform,
  batches: readonly Batch[],
  counter: StreamCounter,
): Batch[] {
  const out: Batch[] = [];
  for (const batch of batches) {
    if (batch.rowCount === 0) continue;
    let rows = 0;
    for (const made of transform.apply(batch)) {
      rows += made.rowCount;
      out.push(made);
    }
    counter.transformed(batch.rowCount, rows);
  }
  return out;
}

/** The same batch with nothing below the given rung: sinks and transforms then work from columns or from rows. */
function onRung(batch: Batch, rung: Rung | undefined): Batch {
  if (rung === undefined || rung === 'encoded') return batch;
  const { op, before, byteSize } = batch;
  const options = { op, byteSize, ...(before && { before }) };
  return rung === 'rows'
    ? Batch.ofRows(batch.schema, batch.rows(), options)
    : Batch.ofColumns(batch.schema, batch.columns(), batch.rowCount, options);
}
