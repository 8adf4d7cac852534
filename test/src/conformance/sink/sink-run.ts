/** One run of a job against a sink, with the verbs in the engine's order and the engine's bookkeeping. */
import {
  Batch,
  type BatchOptions,
  type Clear,
  type Context,
  type Epoch,
  type Json,
  type Row,
  type Sink,
  type SinkJob,
  type SinkRecord,
  type Split,
  type SplitRecord,
  type StreamRecord,
  type StreamSchema,
  type TablePlan,
  type Token,
  type Writer,
} from '@sluice/sdk';
import { throughJson } from '../json-trip.js';
import type { SinkSession } from './sink-subject.js';

/** A split as a source would have planned it. */
export function splitOf(stream: string, part = 0, phase: Split['phase'] = 'bulk'): Split {
  return { id: `${stream}/${part}`, streams: [stream], phase, start: 0, spec: { part } };
}

export interface CommitOptions {
  readonly position?: Json;
  readonly sealed?: boolean;
  /** By default the one after the last. */
  readonly number?: number;
  /** Two-phase: called between prepare and commit, where the ledger stores the token. */
  readonly prepared?: (token: Token) => void | Promise<void>;
}

export class SinkRun {
  /** What `attach` said. */
  record: SinkRecord | undefined;
  private readonly lanes = new Set<SinkLane>();

  constructor(
    readonly session: SinkSession,
    readonly sink: Sink,
    readonly job: SinkJob,
    readonly context: Context,
  ) {}

  async attach(): Promise<SinkRecord | undefined> {
    this.record = await this.sink.attach(this.job, this.context);
    return this.record;
  }

  /** Plans a stream. */
  async plan(schema: StreamSchema, more: Parameters<SinkSession['streamOf']>[1] = {}): Promise<TablePlan> {
    const [table] = await this.sink.plan([this.session.streamOf(schema, more)], this.context);
    return throughJson(table!);
  }

  /** Plans a stream, adopts its splits at where they stand, and makes the target fit. */
  async begin(
    schema: StreamSchema,
    options: { generation?: number; splits?: readonly Split[] } = {},
  ): Promise<TablePlan> {
    const { generation = 1, splits = [splitOf(schema.stream)] } = options;
    const table = await this.plan(schema);
    await this.adopt(schema.stream, generation, splits);
    await this.applySchema(table, generation);
    return table;
  }

  async adopt(stream: string, generation: number, splits: readonly Split[]): Promise<void> {
    const streams: { [stream: string]: StreamRecord } = { [stream]: { generation, published: false } };
    const records = splits.map((split) => [split.id, this.standOf(split, generation)] as const);
    await this.sink.adopt(
      this.job,
      throughJson({ streams, splits: Object.fromEntries(records) }),
      this.context,
    );
  }

  applySchema(table: TablePlan, generation = 1): Promise<void> {
    return this.sink.applySchema(this.job, throughJson(table), generation, this.context);
  }

  publish(table: TablePlan, generation = 1, allowEmpty = false): Promise<void> {
    return this.sink.publish(this.job, throughJson(table), generation, { allowEmpty }, this.context);
  }

  /** Where a split stands: as the sink's record says, else as the ledger does. */
  standOf(split: Split, generation = 1): SplitRecord {
    const known = this.record?.splits[split.id] ?? this.session.ledger.get(`${this.job.id}\n${split.id}`);
    if (known?.generation === generation) return known;
    return { split, generation, epoch: 0, position: split.start, sealed: false };
  }

  /** Opens a writer for a split. */
  async lane(
    tables: TablePlan | readonly TablePlan[],
    options: { readonly split?: Split; readonly generation?: number } = {},
  ): Promise<SinkLane> {
    const all = Array.isArray(tables) ? (tables as readonly TablePlan[]) : [tables as TablePlan];
    const { split = splitOf(all[0]!.stream), generation = 1 } = options;
    const request = { job: this.job, ...throughJson({ split, generation, tables: all }) };
    const lane = new SinkLane(this, await this.sink.open(request, this.context), split, generation, all);
    this.lanes.add(lane);
    return lane;
  }

  /** Frees writers and sink without committing or aborting anything. */
  async close(): Promise<void> {
    const lanes = [...this.lanes];
    this.lanes.clear();
    for (const { writer } of lanes) await writer.close();
    await this.sink.close?.();
  }

  /** Closes one writer. */
  async closeLane(lane: SinkLane): Promise<void> {
    if (this.lanes.delete(lane)) await lane.writer.close();
  }
}

export class SinkLane {
  private number: number;

  constructor(
    readonly run: SinkRun,
    readonly writer: Writer,
    readonly split: Split,
    readonly generation: number,
    readonly tables: readonly TablePlan[],
  ) {
    this.number = run.standOf(split, generation).epoch;
  }

  /** Writes rows as one batch, from columns. */
  write(rows: readonly Row[], options: BatchOptions & { readonly table?: TablePlan } = {}): Promise<void> {
    const { table = this.tables[0]!, ...batchOptions } = options;
    return this.send(columnsBatch(table.schema, rows, batchOptions));
  }

  send(message: Batch | Clear): Promise<void> {
    return this.writer.write(message);
  }

  epoch(options: CommitOptions = {}): Epoch {
    const { number = this.number + 1, position = { row: number }, sealed = false } = options;
    const { fence } = this.run.job;
    const { split, generation } = this;
    const version = (fence << 40n) | BigInt(number);
    return { ...throughJson({ split, number, generation, position, sealed }), fence, version };
  }

  /** Makes what was written an epoch, by the writer's own protocol. */
  async commit(options: CommitOptions = {}): Promise<Epoch> {
    const epoch = this.epoch(options);
    switch (this.writer.protocol) {
      case 'atomic':
        await this.writer.commit(epoch);
        break;
      case 'two-phase': {
        const token = throughJson(await this.writer.prepare(epoch));
        await options.prepared?.(token);
        await this.writer.commit(token);
        break;
      }
      default:
        await this.writer.flush(epoch);
    }
    this.committed(epoch);
    return epoch;
  }

  /** The ledger's part of a commit. */
  committed({ split, generation, number, position, sealed }: Epoch): void {
    this.number = Math.max(this.number, number);
    const record = { split, generation, epoch: number, position, sealed };
    this.run.session.ledger.set(`${this.run.job.id}\n${split.id}`, record);
  }
}

/** A batch that has columns and no rows, as fast sources make it. */
export function columnsBatch(schema: StreamSchema, rows: readonly Row[], options: BatchOptions = {}): Batch {
  const { columns } = { columns: Batch.ofRows(schema, rows).columns() };
  return Batch.ofColumns(schema, columns, rows.length, options);
}
