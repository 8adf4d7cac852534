/**
 * Dead letters in a sink. They are a stream of their own, with its own record, that begins a generation with every run:
 * what a run that died has left half done is not taken up, because the rows come again with their epoch.
 */
import type { Context, Sink, SinkJob, Split, TablePlan, Writer } from '@sluice/sdk';
import type { DeadLetter, Lease, Ledger, SinkKey } from '../ledger/ledger.js';
import { commitEpoch, versionOf } from '../run/commit-epoch.js';
import type { LetterStore } from './letter-box.js';
import { letterBatch, letterSchema } from './letter-table.js';

/** A sink for dead letters, as planned. */
export interface LetterSink {
  /** Its connection's name. */
  readonly name: string;
  readonly sink: Sink;
  readonly identity: string;
  readonly table: TablePlan;
}

export interface LetterRun {
  readonly job: string;
  readonly ledger: Ledger;
  readonly lease: () => Lease;
  /** Makes the lease's fence greater than one that a sink has seen. */
  readonly raise: (above: bigint) => Promise<unknown>;
  readonly context: Context;
}

/** No flow of a job can have this name. */
const FLOW = '_dead_letters';
const SOURCE = 'dead letters';

/** What a sink of dead letters stores its record of a job under. */
export function letterSinkJob(job: string, sink: string): string {
  return `${job}/${FLOW}/${sink}`;
}

export class SinkLetters implements LetterStore {
  private writer: Writer | undefined;
  private split: Split | undefined;
  private generation = 0;
  private epoch = 0;
  /** The fence that the writer was opened with. */
  private fence = -1n;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly of: LetterSink,
    private readonly r: LetterRun,
  ) {}

  /** One after the other, whichever lanes they come from. */
  add(letters: readonly DeadLetter[]): Promise<void> {
    const added = this.last.then(() => this.store(letters));
    this.last = added.catch(() => {});
    return added;
  }

  /** Raises the fence: before the run's other sinks are attached to. */
  async open(): Promise<void> {
    const { sink, identity, table } = this.of;
    const { ledger, lease, raise, context } = this.r;
    const { key } = this;
    const { stream } = letterSchema;
    let record = await sink.attach(this.sinkJob, context);
    while (record !== undefined && record.fence >= lease().fence) {
      await raise(record.fence);
      record = await sink.attach(this.sinkJob, context);
    }
    this.fence = lease().fence;
    const known = (await ledger.flow(key)).streams[stream]?.generation ?? 0;
    this.generation = Math.max(known, record?.streams[stream]?.generation ?? 0) + 1;
    this.epoch = 0;
    const id = `${stream}/${lease().holder.run}/${this.generation}`;
    const split: Split = { id, streams: [stream], phase: 'poll', start: 0, spec: null };
    this.split = split;
    const { generation } = this;
    await ledger.registerSink(lease(), key, { source: SOURCE, target: identity });
    await ledger.startGeneration(lease(), key, stream, generation);
    await ledger.addSplits(lease(), key, [{ split, generation }]);
    await ledger.markPlanned(lease(), key, stream, generation);
    const place = { split, generation, epoch: 0, position: 0, sealed: false };
    const streams = { [stream]: { generation, published: false } };
    await sink.adopt(this.sinkJob, { streams, splits: { [id]: place } }, context);
    await sink.applySchema(this.sinkJob, table, generation, context);
    this.writer = await sink.open({ job: this.sinkJob, split, generation, tables: [table] }, context);
  }

  async close(): Promise<void> {
    const { writer } = this;
    this.writer = undefined;
    await writer?.close();
  }

  private get key(): SinkKey {
    return { job: this.r.job, flow: FLOW, sink: this.of.name };
  }

  private get sinkJob(): SinkJob {
    return { id: letterSinkJob(this.r.job, this.of.name), source: SOURCE, fence: this.r.lease().fence };
  }

  private async store(letters: readonly DeadLetter[]): Promise<void> {
    const { ledger, lease, job } = this.r;
    // A flow that is tried again has raised the fence, in its own sinks only.
    if (this.writer === undefined || this.fence !== lease().fence) {
      await this.close();
      await this.open();
    }
    const writer = this.writer!;
    const number = this.epoch + 1;
    const { generation, fence } = this;
    const version = versionOf(fence, number);
    const epoch = { split: this.split!, number, generation, fence, version, position: number, sealed: false };
    try {
      const batch = letterBatch(job, letters);
      await writer.write(batch);
      const stats = { rows: batch.rowCount, bytes: batch.byteSize };
      await commitEpoch({ ledger, lease: lease(), key: this.key }, writer, epoch, stats);
    } catch (error) {
      await writer.abort().catch(() => {});
      await this.close();
      throw error;
    }
    this.epoch = number;
  }
}
