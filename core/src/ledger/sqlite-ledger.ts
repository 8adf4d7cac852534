/**
 * The ledger in a SQLite file, for one machine: every verb is one transaction (`BEGIN IMMEDIATE`, WAL,
 * `synchronous=FULL`), so that what a verb has reported outlives the process and a power cut.
 */
import type { Json, Split, SplitRecord } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { holderGone } from './holder.js';
import type { KnownSchema } from './known-schema.js';
import type {
  DeadLetter,
  EpochRow,
  EpochStats,
  FlowKey,
  FlowState,
  Holder,
  Lease,
  Ledger,
  LedgerSplit,
  LetterFilter,
  PreparedEpoch,
  Quarantine,
  RunRow,
  RunStatus,
  SinkKey,
  SinkState,
  StreamState,
} from './ledger.js';
import {
  endsWith,
  fenceAbove,
  heldError,
  type LeaseRow,
  type LedgerOptions,
  requireCurrent,
  requireGeneration,
  requireLease,
  requireRegistered,
  requireStorable,
} from './refusals.js';
import { movesOf, requireWhole } from './replaced-flow.js';
import { SqliteFile } from './sqlite-file.js';
import { EpochTable } from './sqlite-history.js';
import { LeaseTable } from './sqlite-leases.js';
import { LetterTable } from './sqlite-letters.js';
import { flowState, runRow } from './sqlite-rows.js';

export interface SqliteLedgerOptions extends LedgerOptions {
  /** Opens an existing ledger without changing it; verbs that write throw. */
  readonly readOnly?: boolean;
  /** How long a verb waits for a lock of another process, in milliseconds. */
  readonly patienceMs?: number;
}

/** Where the ledger of a folder of jobs lies. */
export const DEFAULT_LEDGER_PATH = '.sluice/state.db';

/**
 * Opens the ledger at `path`, creating it and its folder when they are missing.
 * Throws `SLUICE-CORE-0103` (written by a newer version) and `SLUICE-CORE-0104` (cannot be used), having changed
 * nothing in the file.
 */
export async function openSqliteLedger(path: string, options: SqliteLedgerOptions = {}): Promise<Ledger> {
  const { clock = Date.now, readOnly = false, patienceMs = 15_000 } = options;
  const file = await SqliteFile.open(path, { readOnly, patienceMs, now: clock() });
  return new SqliteLedger(file, clock, options.isGone ?? holderGone);
}

/** The tables of what is so now; runs and epochs are history. */
const STATE_TABLES = ['streams', 'splits', 'split_streams', 'sinks', 'published', 'positions', 'prepared'];

class SqliteLedger implements Ledger {
  private readonly leases: LeaseTable;
  private readonly history: EpochTable;
  private readonly letterTable: LetterTable;
  /** As last read: a run asks more often than it writes. */
  private readonly states = new Map<string, { readonly version: string; readonly state: FlowState }>();

  constructor(
    private readonly file: SqliteFile,
    private readonly clock: () => number,
    private readonly isGone: (holder: Holder) => boolean,
  ) {
    this.leases = new LeaseTable(file);
    this.history = new EpochTable(file);
    this.letterTable = new LetterTable(file);
  }

  async acquire(job: string, holder: Holder, ttlMs: number): Promise<Lease> {
    requireStorable(job, holder.run, holder.host, holder.processStart);
    return this.file.write(() => {
      const now = this.clock();
      const row = this.leases.get(job);
      if (row?.held && this.isHeld(row.held, now))
        throw heldError(job, row.held.holder, row.held.expiresAt, now);
      return this.leases.put({ job, holder, fence: fenceAbove(row?.fence ?? 0n), expiresAt: now + ttlMs });
    });
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    return this.held(lease, lease.job, () => this.leases.put({ ...lease, expiresAt: this.clock() + ttlMs }));
  }

  async release(lease: Lease): Promise<void> {
    await this.file.write(() => this.leases.free(lease));
  }

  async raiseFence(lease: Lease, above: bigint): Promise<Lease> {
    return this.held(lease, lease.job, (row) => {
      const fence = lease.fence > above ? lease.fence : fenceAbove(above);
      return this.leases.put({ ...lease, fence, expiresAt: row.held!.expiresAt });
    });
  }

  async flow(key: FlowKey): Promise<FlowState> {
    return this.file.read(() => {
      const { version } = this.file;
      const name = JSON.stringify([key.job, key.flow]);
      const known = this.states.get(name);
      if (known?.version === version) return known.state;
      const state = flowState(this.file, key);
      this.states.set(name, { version, state });
      return state;
    });
  }

  async registerSink(
    lease: Lease,
    key: SinkKey,
    identity: { source: string; target: string },
  ): Promise<void> {
    await this.held(lease, key.job, () => {
      requireStorable(key.flow, key.sink, identity.source, identity.target);
      this.insertIdentity(key, identity);
    });
  }

  async startGeneration(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, key.job, () => {
      requireStorable(key.flow, stream);
      const known = this.streamGeneration(key, stream);
      if (known !== undefined && known >= generation) return;
      this.removeEnded(key, stream, generation);
      this.file.run(
        `INSERT INTO streams (job, flow, stream, generation, planned) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT DO UPDATE SET generation = excluded.generation, planned = 0, quarantined = NULL`,
        ...[key.job, key.flow, stream, generation],
      );
    });
  }

  async addSplits(lease: Lease, key: FlowKey, splits: readonly LedgerSplit[]): Promise<void> {
    await this.held(lease, key.job, () => {
      for (const { split, generation } of splits) {
        if (this.splitGeneration(key, split.id) === undefined) this.addSplit(key, split, generation);
        else if (split.phase === 'log') this.setStreams(key, split);
      }
    });
  }

  async markPlanned(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, key.job, () => {
      requireStorable(key.flow, stream);
      const known = this.streamGeneration(key, stream) ?? 0;
      if (known !== generation) {
        throw coreErrors.ledgerMisused(`stream ${stream} is at generation ${known}, not ${generation}`);
      }
      this.file.run(
        `INSERT INTO streams (job, flow, stream, generation, planned) VALUES (?, ?, ?, ?, 1)
         ON CONFLICT DO UPDATE SET planned = 1`,
        ...[key.job, key.flow, stream, generation],
      );
    });
  }

  async requestCopies(key: FlowKey, streams: readonly string[]): Promise<void> {
    requireStorable(key.job, key.flow, ...streams);
    await this.file.write(() => {
      for (const stream of streams) {
        this.file.run(
          'INSERT INTO copy_requests (job, flow, stream) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
          ...[key.job, key.flow, stream],
        );
      }
    });
  }

  async requestedCopies(key: FlowKey): Promise<string[]> {
    const sql = 'SELECT stream FROM copy_requests WHERE job = ? AND flow = ? ORDER BY stream';
    const rows = await this.file.read(() => this.file.all(sql, key.job, key.flow));
    return rows.map(({ stream }) => stream as string);
  }

  async dropCopyRequests(lease: Lease, key: FlowKey, streams: readonly string[]): Promise<void> {
    await this.held(lease, key.job, () => {
      for (const stream of streams) {
        this.removeRequest(key, stream);
        this.file.run(
          'UPDATE streams SET quarantined = NULL WHERE job = ? AND flow = ? AND stream = ?',
          ...[key.job, key.flow, stream],
        );
      }
    });
  }

  async quarantine(lease: Lease, key: FlowKey, stream: string, why: Quarantine): Promise<void> {
    await this.held(lease, key.job, () => {
      requireStorable(key.flow, stream);
      this.file.run(
        `INSERT INTO streams (job, flow, stream, generation, planned, quarantined) VALUES (?, ?, ?, 0, 0, ?)
         ON CONFLICT DO UPDATE SET quarantined = excluded.quarantined`,
        ...[key.job, key.flow, stream, JSON.stringify(why)],
      );
      this.removeRequest(key, stream);
    });
  }

  async recordSchema(lease: Lease, key: FlowKey, schema: KnownSchema): Promise<void> {
    await this.held(lease, key.job, () => {
      this.file.run(
        'UPDATE streams SET schema = ? WHERE job = ? AND flow = ? AND stream = ?',
        ...[JSON.stringify(schema), key.job, key.flow, schema.stream],
      );
    });
  }

  async prepare(
    lease: Lease,
    key: SinkKey,
    split: string,
    generation: number,
    prepared: PreparedEpoch,
  ): Promise<void> {
    await this.held(lease, key.job, () => {
      this.requireSink(key);
      const known = this.splitGeneration(key, split);
      if (known === undefined)
        throw coreErrors.ledgerMisused(`split ${split} was prepared before it was added`);
      requireGeneration(split, known, generation);
      const committed = this.committedEpoch(key, split) ?? 0;
      if (prepared.epoch <= committed) {
        throw coreErrors.ledgerMisused(
          `epoch ${prepared.epoch} of split ${split} was prepared after ${committed} had been committed`,
        );
      }
      this.setPrepared(key, split, prepared);
    });
  }

  async dropPrepared(lease: Lease, key: SinkKey, split: string): Promise<void> {
    await this.held(lease, key.job, () => {
      this.requireSink(key);
      this.removePrepared(key, split);
    });
  }

  async commit(lease: Lease, key: SinkKey, record: SplitRecord, stats: EpochStats): Promise<void> {
    await this.held(lease, key.job, () => {
      const { split, generation, epoch } = record;
      this.requireSink(key);
      this.requireSplit(key, split, generation);
      const committed = this.committedEpoch(key, split.id);
      if (committed !== undefined && committed >= epoch) return;
      this.setPosition(key, record);
      this.history.add(key, record, lease.fence, stats, this.clock());
    });
  }

  async adoptPositions(lease: Lease, key: SinkKey, records: readonly SplitRecord[]): Promise<void> {
    await this.held(lease, key.job, () => {
      this.requireSink(key);
      for (const record of records) {
        this.requireSplit(key, record.split, record.generation);
        this.setPosition(key, record);
      }
    });
  }

  async markPublished(lease: Lease, key: SinkKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, key.job, () => {
      requireStorable(stream);
      this.requireSink(key);
      this.file.run(
        `INSERT INTO published (job, flow, sink, stream, generation, run) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET generation = excluded.generation, run = excluded.run
         WHERE excluded.generation > generation`,
        ...[key.job, key.flow, key.sink, stream, generation, lease.holder.run],
      );
    });
  }

  async replaceFlow(lease: Lease, key: FlowKey, state: FlowState): Promise<void> {
    await this.held(lease, key.job, () => {
      requireWhole(key, state);
      const moves = movesOf(flowState(this.file, key), state);
      for (const table of STATE_TABLES) {
        this.file.run(`DELETE FROM ${table} WHERE job = ? AND flow = ?`, key.job, key.flow);
      }
      for (const [stream, held] of Object.entries(state.streams)) this.insertStream(key, stream, held);
      for (const { split, generation } of Object.values(state.splits))
        this.insertSplit(key, split, generation);
      for (const [sink, held] of Object.entries(state.sinks)) this.insertSink({ ...key, sink }, held, state);
      const now = this.clock();
      for (const { sink, split, from, to } of moves) {
        const sinkKey = { ...key, sink };
        if (from !== undefined) this.history.carry(sinkKey, split, from.generation, to);
        const record = { ...to, split: state.splits[split]!.split };
        this.history.add(sinkKey, record, lease.fence, { rows: 0, bytes: 0 }, now);
      }
    });
  }

  async forget(lease: Lease): Promise<void> {
    await this.held(lease, lease.job, () => {
      for (const table of [...STATE_TABLES, 'copy_requests']) {
        this.file.run(`DELETE FROM ${table} WHERE job = ?`, lease.job);
      }
    });
  }

  async addLetters(lease: Lease, letters: readonly DeadLetter[]): Promise<void> {
    await this.held(lease, lease.job, () => {
      for (const letter of letters) this.letterTable.put(lease.job, letter);
    });
  }

  async letters(job: string, filter: LetterFilter, limit: number): Promise<DeadLetter[]> {
    return this.file.read(() => this.letterTable.list(job, filter, limit));
  }

  async countLetters(job: string, filter: LetterFilter): Promise<number> {
    return this.file.read(() => this.letterTable.count(job, filter));
  }

  async dropLetters(lease: Lease, ids: readonly string[]): Promise<void> {
    await this.held(lease, lease.job, () => {
      for (const id of ids) this.letterTable.drop(lease.job, id);
    });
  }

  async startRun(lease: Lease, run: RunRow): Promise<void> {
    await this.held(lease, run.job, () => {
      requireStorable(run.run, run.job);
      const result = run.result === undefined ? null : JSON.stringify(run.result);
      this.file.run(
        `INSERT INTO runs (run, job, status, started_at, ended_at, fence, result) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (run) DO UPDATE SET job = excluded.job, status = excluded.status, started_at = excluded.started_at,
           ended_at = excluded.ended_at, fence = excluded.fence, result = excluded.result`,
        ...[run.run, run.job, run.status, run.startedAt, run.endedAt ?? null, run.fence, result],
      );
    });
  }

  async endRun(run: string, status: RunStatus, endedAt: number, result: Json): Promise<void> {
    await this.file.write(() =>
      this.file.run(
        'UPDATE runs SET status = ?, ended_at = ?, result = ? WHERE run = ?',
        ...[status, endedAt, JSON.stringify(result), run],
      ),
    );
  }

  async runs(job: string, limit: number): Promise<RunRow[]> {
    return this.file.read(() =>
      this.file
        .all(
          `SELECT run, job, status, started_at, ended_at, CAST(fence AS TEXT) AS fence, result
           FROM runs WHERE job = ? ORDER BY id DESC LIMIT ?`,
          ...[job, limit],
        )
        .map(runRow),
    );
  }

  async epochs(key: FlowKey, limit: number): Promise<EpochRow[]> {
    return this.file.read(() => this.history.newest(key, limit));
  }

  async flows(job: string): Promise<string[]> {
    const rows = await this.file.read(() =>
      this.file.all(
        'SELECT flow FROM streams WHERE job = ? UNION SELECT flow FROM sinks WHERE job = ?',
        ...[job, job],
      ),
    );
    return rows.map((row) => row['flow'] as string).sort();
  }

  async jobs(): Promise<string[]> {
    return (await this.file.read(() => this.leases.jobs())).sort();
  }

  async lease(job: string): Promise<Lease | undefined> {
    const row = await this.file.read(() => this.leases.get(job));
    if (!row?.held || !this.isHeld(row.held, this.clock())) return undefined;
    return { job, fence: row.fence, ...row.held };
  }

  async close(): Promise<void> {
    this.file.close();
  }

  /** A transaction in which the lease is known to stand. */
  private held<T>(lease: Lease, job: string, work: (row: LeaseRow) => T): Promise<T> {
    return this.file.write(() => {
      const row = this.leases.get(lease.job);
      requireLease(lease, row, job);
      return work(row!);
    });
  }

  private isHeld(held: { readonly holder: Holder; readonly expiresAt: number }, now: number): boolean {
    return held.expiresAt > now && !this.isGone(held.holder);
  }

  private streamGeneration(key: FlowKey, stream: string): number | undefined {
    const row = this.file.get(
      'SELECT generation FROM streams WHERE job = ? AND flow = ? AND stream = ?',
      ...[key.job, key.flow, stream],
    );
    return row?.['generation'] as number | undefined;
  }

  private splitGeneration(key: FlowKey, split: string): number | undefined {
    const row = this.file.get(
      'SELECT generation FROM splits WHERE job = ? AND flow = ? AND split = ?',
      ...[key.job, key.flow, split],
    );
    return row?.['generation'] as number | undefined;
  }

  private committedEpoch(key: SinkKey, split: string): number | undefined {
    const row = this.file.get(
      'SELECT epoch FROM positions WHERE job = ? AND flow = ? AND split = ? AND sink = ?',
      ...[key.job, key.flow, split, key.sink],
    );
    return row?.['epoch'] as number | undefined;
  }

  private requireSink(key: SinkKey): void {
    const row = this.file.get(
      'SELECT 1 AS known FROM sinks WHERE job = ? AND flow = ? AND sink = ?',
      ...[key.job, key.flow, key.sink],
    );
    requireRegistered(row !== undefined, key.sink);
  }

  private addSplit(key: FlowKey, split: Split, generation: number): void {
    requireStorable(key.flow, split.id, ...split.streams);
    requireCurrent(split, generation, (stream) => this.streamGeneration(key, stream) ?? 0);
    this.insertSplit(key, split, generation);
  }

  private setStreams(key: FlowKey, split: Split): void {
    requireStorable(key.flow, ...split.streams);
    const id = [key.job, key.flow, split.id];
    this.file.run(
      'UPDATE splits SET body = ? WHERE job = ? AND flow = ? AND split = ?',
      JSON.stringify(split),
      ...id,
    );
    this.file.run('DELETE FROM split_streams WHERE job = ? AND flow = ? AND split = ?', ...id);
    this.insertStreams(key, split);
  }

  private insertSplit(key: FlowKey, split: Split, generation: number): void {
    this.file.run(
      'INSERT INTO splits (job, flow, split, generation, body) VALUES (?, ?, ?, ?, ?)',
      ...[key.job, key.flow, split.id, generation, JSON.stringify(split)],
    );
    this.insertStreams(key, split);
  }

  private insertStream(
    key: FlowKey,
    stream: string,
    { generation, planned, schema, quarantined }: StreamState,
  ): void {
    const text = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));
    this.file.run(
      `INSERT INTO streams (job, flow, stream, generation, planned, schema, quarantined)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ...[key.job, key.flow, stream, generation, Number(planned), text(schema), text(quarantined)],
    );
  }

  private removeRequest(key: FlowKey, stream: string): void {
    this.file.run(
      'DELETE FROM copy_requests WHERE job = ? AND flow = ? AND stream = ?',
      ...[key.job, key.flow, stream],
    );
  }

  private insertStreams(key: FlowKey, split: Split): void {
    for (const stream of split.streams) {
      this.file.run(
        'INSERT INTO split_streams (job, flow, stream, split) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        ...[key.job, key.flow, stream, split.id],
      );
    }
  }

  /** A sink's record may bring a split that this ledger has lost: it is taken over. */
  private requireSplit(key: FlowKey, split: Split, generation: number): void {
    const known = this.splitGeneration(key, split.id);
    if (known === undefined) this.addSplit(key, split, generation);
    else requireGeneration(split.id, known, generation);
  }

  /** Stores a sink's place in a split and forgets what was prepared there. */
  private setPosition(key: SinkKey, { split, generation, epoch, position, sealed }: SplitRecord): void {
    this.removePrepared(key, split.id);
    this.file.run(
      `INSERT INTO positions (job, flow, split, sink, generation, epoch, position, sealed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET generation = excluded.generation, epoch = excluded.epoch, position = excluded.position, sealed = excluded.sealed`,
      ...[key.job, key.flow, split.id, key.sink, generation, epoch, JSON.stringify(position), Number(sealed)],
    );
  }

  /** Removes the splits that end with a stream's older generations, and every sink's place in them. */
  private removeEnded(key: FlowKey, stream: string, generation: number): void {
    const rows = this.file.all(
      `SELECT s.body, s.generation FROM split_streams m JOIN splits s USING (job, flow, split)
       WHERE m.job = ? AND m.flow = ? AND m.stream = ?`,
      ...[key.job, key.flow, stream],
    );
    const generationOf = (name: string) => this.streamGeneration(key, name) ?? 0;
    for (const row of rows) {
      const held = {
        split: JSON.parse(row['body'] as string) as Split,
        generation: row['generation'] as number,
      };
      if (!endsWith(held, stream, generation, generationOf)) continue;
      const { id, streams } = held.split;
      for (const table of ['splits', 'positions', 'prepared']) {
        this.file.run(
          `DELETE FROM ${table} WHERE job = ? AND flow = ? AND split = ?`,
          ...[key.job, key.flow, id],
        );
      }
      for (const name of streams) {
        this.file.run(
          'DELETE FROM split_streams WHERE job = ? AND flow = ? AND stream = ? AND split = ?',
          ...[key.job, key.flow, name, id],
        );
      }
    }
  }

  private insertIdentity(key: SinkKey, { source, target }: Pick<SinkState, 'source' | 'target'>): void {
    this.file.run(
      'INSERT INTO sinks (job, flow, sink, source, target) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...[key.job, key.flow, key.sink, source, target],
    );
  }

  /** Everything of a sink that has nothing yet. */
  private insertSink(key: SinkKey, held: SinkState, { splits }: FlowState): void {
    this.insertIdentity(key, held);
    for (const [stream, { generation, run }] of Object.entries(held.published)) {
      this.file.run(
        'INSERT INTO published (job, flow, sink, stream, generation, run) VALUES (?, ?, ?, ?, ?, ?)',
        ...[key.job, key.flow, key.sink, stream, generation, run],
      );
    }
    for (const [id, { prepared, ...position }] of Object.entries(held.positions)) {
      if (position.epoch > 0) this.setPosition(key, { ...position, split: splits[id]!.split });
      if (prepared !== undefined) this.setPrepared(key, id, prepared);
    }
  }

  private setPrepared(key: SinkKey, split: string, prepared: PreparedEpoch): void {
    this.file.run(
      `INSERT INTO prepared (job, flow, split, sink, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body`,
      ...[key.job, key.flow, split, key.sink, JSON.stringify(prepared)],
    );
  }

  private removePrepared(key: SinkKey, split: string): void {
    this.file.run(
      'DELETE FROM prepared WHERE job = ? AND flow = ? AND split = ? AND sink = ?',
      ...[key.job, key.flow, split, key.sink],
    );
  }
}
