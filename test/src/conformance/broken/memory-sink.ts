/**
 * A small sink that keeps every rule, with each of the four protocols. What is deliberately broken derives from it,
 * so each of its steps is a method of its own. A "transaction" is whatever happens between two awaits.
 */
import { setImmediate as turn } from 'node:timers/promises';
import {
  type Batch,
  type Clear,
  type Context,
  type Epoch,
  formatType,
  type Json,
  type LaneRequest,
  type Protocol,
  type PublishOptions,
  type RecoveredState,
  type Row,
  type Sink,
  type SinkCapabilities,
  type SinkJob,
  type SinkRecord,
  type SinkStream,
  type SplitRecord,
  type TablePlan,
  type Token,
  type Writer,
} from '@sluice/sdk';
import {
  appendRows,
  applyByKey,
  databaseAt,
  keyText,
  type MemoryDatabase,
  type MemoryJob,
  type MemoryTable,
  storable,
} from './memory-database.js';
import { memoryErrors } from './memory-errors.js';
import { type MemorySinkConfig, memoryModes, stagingName, tokenName } from './memory-sink-config.js';

/** What is written and not committed by one lane. */
export interface Lane {
  readonly request: LaneRequest;
  pending: (Batch | Clear)[];
}

export class MemorySink implements Sink {
  constructor(readonly config: MemorySinkConfig) {}

  get capabilities(): SinkCapabilities {
    return {
      modes: memoryModes[this.config.protocol],
      transactions: 'whole',
      partialUpdates: true,
      move: true,
      guard: false,
      writers: 4,
    };
  }

  protected get database(): MemoryDatabase {
    return databaseAt(this.config.place);
  }

  protected get keepsRecord(): boolean {
    return this.config.protocol === 'atomic' || this.config.protocol === 'two-phase';
  }

  async check(_c: Context): Promise<void> {
    void this.database;
  }

  async identity(_c: Context): Promise<string> {
    return `memory:${this.config.place}`;
  }

  async plan(streams: readonly SinkStream[], _c: Context): Promise<TablePlan[]> {
    return streams.map((stream) => this.planOne(stream));
  }

  protected planOne({ stream, target, schema, write, save }: SinkStream): TablePlan {
    const protocol = (this.capabilities.modes as { [mode: string]: Protocol })[write];
    if (protocol === undefined) throw memoryErrors.modeMissing(`there is no write mode ${write}`);
    const exists = this.database.tables.has(target);
    const types = schema.fields.map(({ name, type }) => {
      const text = formatType(type);
      return { column: name, from: text, to: text, verdict: 'exact' as const };
    });
    const publish = write === 'replace' ? 'swap' : write === 'mirror' ? 'refill' : 'none';
    return {
      stream,
      target,
      write,
      protocol,
      schema,
      publish,
      exists,
      ddl: exists ? [] : [`create ${target}`],
      types,
      detail: { save },
    };
  }

  async attach(job: SinkJob, _c: Context): Promise<SinkRecord | undefined> {
    await turn();
    const { jobs } = this.database;
    if (!this.keepsRecord) return undefined;
    const known = jobs.get(job.id);
    if (known === undefined) {
      jobs.set(job.id, { source: job.source, fence: job.fence, streams: {}, splits: {} });
      return undefined;
    }
    const found = { ...known, streams: { ...known.streams }, splits: { ...known.splits } };
    if (known.fence < job.fence) this.raise(known, job.fence);
    return found;
  }

  protected raise(record: MemoryJob, fence: bigint): void {
    record.fence = fence;
  }

  async adopt(
    job: SinkJob,
    { streams, splits }: Pick<SinkRecord, 'streams' | 'splits'>,
    _c: Context,
  ): Promise<void> {
    await turn();
    if (!this.keepsRecord) return;
    const record = this.recordOf(job);
    for (const [stream, { generation, published }] of Object.entries(streams)) {
      const ours = record.streams[stream];
      record.streams[stream] = {
        generation,
        published: published || (ours?.generation === generation && ours.published),
      };
      for (const [id, known] of Object.entries(record.splits)) {
        if (known.split.streams.includes(stream) && known.generation !== generation) delete record.splits[id];
      }
    }
    for (const [id, theirs] of Object.entries(splits)) {
      const ours = record.splits[id];
      if (ours === undefined || ours.epoch < theirs.epoch) record.splits[id] = theirs;
    }
  }

  async applySchema(job: SinkJob, table: TablePlan, generation: number, _c: Context): Promise<void> {
    await turn();
    if (this.keepsRecord) this.recordOf(job);
    this.createTarget(job, table);
    this.dropStaging(job, table, generation);
  }

  protected createTarget(job: SinkJob, table: TablePlan): void {
    const { tables } = this.database;
    const { save } = table.detail as { save: string };
    const there = tables.get(table.target);
    if (there === undefined) {
      if (save === 'require') throw memoryErrors.targetRefused(`there is no ${table.target}`);
      tables.set(table.target, { fields: table.schema.fields, rows: [], owner: job.id });
      return;
    }
    if (save === 'fail' && there.owner !== job.id)
      throw memoryErrors.targetRefused(`${table.target} is there`);
    this.reshape(there, table);
  }

  protected reshape(there: MemoryTable, table: TablePlan): void {
    there.fields = table.schema.fields;
    for (const row of there.rows) for (const { name } of table.schema.fields) row[name] ??= null;
  }

  protected dropStaging(job: SinkJob, { stream }: TablePlan, generation: number): void {
    const own = stagingName(job.id, stream, generation);
    for (const place of [this.database.staging, this.database.written]) {
      for (const name of place.keys())
        if (name.startsWith(stagingName(job.id, stream)) && name !== own) place.delete(name);
    }
  }

  async publish(
    job: SinkJob,
    table: TablePlan,
    generation: number,
    options: PublishOptions,
    _c: Context,
  ): Promise<void> {
    await turn();
    const record = this.keepsRecord ? this.recordOf(job) : undefined;
    const target = this.database.tables.get(table.target)!;
    const name = stagingName(job.id, table.stream, generation);
    if (target.published !== name) {
      if (table.write === 'replace') this.swap(target, this.database.staging.get(name) ?? [], options);
      if (table.write === 'mirror') this.deleteMissing(target, table, name, options);
      target.published = name;
      this.database.staging.delete(name);
    }
    if (record !== undefined) record.streams[table.stream] = { generation, published: true };
  }

  protected swap(target: MemoryTable, staged: Row[], { allowEmpty }: PublishOptions): void {
    if (staged.length === 0 && target.rows.length > 0 && !allowEmpty)
      throw memoryErrors.wouldEmpty('no rows were staged');
    target.rows = staged;
  }

  protected deleteMissing(
    target: MemoryTable,
    table: TablePlan,
    name: string,
    { allowEmpty }: PublishOptions,
  ): void {
    const written = this.database.written.get(name) ?? new Set();
    if (written.size === 0 && target.rows.length > 0 && !allowEmpty)
      throw memoryErrors.wouldEmpty('no rows were written');
    target.rows = target.rows.filter((row) => written.has(this.keyOf(table, row)));
  }

  async recover(_job: SinkJob, tokens: readonly Token[], _c: Context): Promise<RecoveredState[]> {
    return tokens.map((token) => {
      const { job, split, generation, number } = token as {
        job: string;
        split: string;
        generation: number;
        number: number;
      };
      const record = this.database.jobs.get(job)?.splits[split];
      if (record !== undefined && record.generation === generation && record.epoch >= number)
        return 'committed';
      return this.database.prepared.has(tokenName(token)) ? 'committable' : 'lost';
    });
  }

  async commitPrepared(job: SinkJob, tokens: readonly Token[], _c: Context): Promise<void> {
    await turn();
    for (const token of tokens) this.publishPrepared(job, token);
  }

  async clean(job: string, certain: boolean, _c: Context): Promise<string[]> {
    await turn();
    const { database } = this;
    const steps: [string, () => unknown][] = [];
    const ofJob = JSON.stringify(['job', job]);
    for (const name of database.prepared.keys())
      if (name.includes(ofJob)) steps.push([`drop ${name}`, () => database.prepared.delete(name)]);
    for (const place of [database.staging, database.written]) {
      for (const name of place.keys())
        if (name.startsWith(`${job}/`)) steps.push([`drop ${name}`, () => place.delete(name)]);
    }
    for (const [name, table] of database.tables) {
      if (table.published?.startsWith(`${job}/`))
        steps.push([`unmark ${name}`, () => delete table.published]);
    }
    if (database.jobs.has(job)) steps.push([`forget ${job}`, () => database.jobs.delete(job)]);
    if (certain) for (const [, step] of steps) step();
    return steps.map(([text]) => text);
  }

  async open(request: LaneRequest, _c: Context): Promise<Writer> {
    const { protocol } = this.config;
    const lane: Lane = { request, pending: [] };
    const verbs = {
      write: (message: Batch | Clear) => this.write(lane, message),
      abort: () => this.abort(lane),
      close: () => this.closeLane(lane),
    };
    if (protocol === 'atomic') return { ...verbs, protocol, commit: (epoch) => this.commit(lane, epoch) };
    if (protocol === 'two-phase') {
      return {
        ...verbs,
        protocol,
        prepare: (epoch) => this.prepare(lane, epoch),
        commit: (token) => this.commitToken(lane, token),
      };
    }
    return { ...verbs, protocol, flush: (epoch) => this.flush(lane, epoch) };
  }

  protected async write(lane: Lane, message: Batch | Clear): Promise<void> {
    if (message.kind === 'batch') this.tryOut(lane, message);
    lane.pending.push(message);
  }

  /** Refuses a batch whose rows cannot be placed, before anything of it is kept. */
  protected tryOut(lane: Lane, batch: Batch): void {
    const table = lane.request.tables.find(({ stream }) => stream === batch.stream)!;
    const rows = this.rowsOf(table, batch);
    if (table.write === 'append' || table.write === 'replace') appendRows([], rows);
  }

  protected rowsOf(table: TablePlan, batch: Batch): Row[] {
    return storable(table, batch);
  }

  protected async abort(lane: Lane): Promise<void> {
    lane.pending = [];
  }

  protected async closeLane(lane: Lane): Promise<void> {
    lane.pending = [];
  }

  protected async commit(lane: Lane, epoch: Epoch): Promise<void> {
    await turn();
    const messages = lane.pending;
    const record = this.recordOf(lane.request.job);
    lane.pending = [];
    if (this.isCommitted(record, epoch)) return;
    this.apply(lane.request, messages, epoch);
    record.splits[epoch.split.id] = this.standAfter(epoch);
  }

  protected async prepare(lane: Lane, epoch: Epoch): Promise<Token> {
    await turn();
    const { job, tables } = lane.request;
    const { split, number, generation } = epoch;
    const token: Token = { job: job.id, split: split.id, generation, number, fence: epoch.fence.toString() };
    this.database.prepared.set(tokenName(token), { epoch, messages: lane.pending, tables });
    lane.pending = [];
    return token;
  }

  protected async commitToken(lane: Lane, token: Token): Promise<void> {
    await turn();
    this.publishPrepared(lane.request.job, token);
  }

  protected publishPrepared(job: SinkJob, token: Token): void {
    const record = this.recordOf(job);
    const staged = this.database.prepared.get(tokenName(token));
    if (staged === undefined) return;
    const { epoch, messages, tables } = staged;
    this.database.prepared.delete(tokenName(token));
    if (this.isCommitted(record, epoch)) return;
    this.apply({ job, split: epoch.split, generation: epoch.generation, tables }, messages, epoch);
    record.splits[epoch.split.id] = this.standAfter(epoch);
  }

  protected async flush(lane: Lane, epoch: Epoch): Promise<void> {
    await turn();
    this.apply(lane.request, lane.pending, epoch);
    lane.pending = [];
  }

  protected isCommitted({ splits }: MemoryJob, { split, generation, number }: Epoch): boolean {
    const known = splits[split.id];
    return known !== undefined && known.generation === generation && known.epoch >= number;
  }

  protected standAfter({ split, generation, number, position, sealed }: Epoch): SplitRecord {
    return { split, generation, epoch: number, position: this.stored(position), sealed };
  }

  protected stored(position: Json): Json {
    return JSON.parse(JSON.stringify(position)) as Json;
  }

  /** Makes messages rows, each where its mode puts them. */
  protected apply(
    { job, tables }: LaneRequest,
    messages: readonly (Batch | Clear)[],
    { generation }: Epoch,
  ): void {
    for (const message of messages) {
      const table = tables.find(({ stream }) => stream === message.stream)!;
      const name = stagingName(job.id, table.stream, generation);
      const rows = this.placeOf(table, name);
      if (message.kind === 'clear') rows.splice(0);
      else if (table.write === 'append' || table.write === 'replace') this.append(rows, table, message);
      else this.upsert(rows, table, message, this.writtenBy(name));
    }
  }

  protected append(rows: Row[], table: TablePlan, batch: Batch): void {
    appendRows(rows, this.rowsOf(table, batch));
  }

  protected upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
    applyByKey(rows, batch, this.rowsOf(table, batch), (row) => this.keyOf(table, row), written);
  }

  protected keyOf(table: TablePlan, row: Row): string {
    return keyText(table, row);
  }

  protected placeOf(table: TablePlan, name: string): Row[] {
    const { staging, tables } = this.database;
    if (table.write !== 'replace') return tables.get(table.target)!.rows;
    if (!staging.has(name)) staging.set(name, []);
    return staging.get(name)!;
  }

  private writtenBy(name: string): Set<string> {
    const { written } = this.database;
    if (!written.has(name)) written.set(name, new Set());
    return written.get(name)!;
  }

  /** The job's record, if its run may still write. */
  protected recordOf(job: SinkJob): MemoryJob {
    const record = this.database.jobs.get(job.id);
    if (record === undefined || record.fence !== job.fence)
      throw memoryErrors.fenced(`the fence of ${job.id} was raised`);
    return record;
  }
}
