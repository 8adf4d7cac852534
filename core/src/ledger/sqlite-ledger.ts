/**
 * The ledger in a SQLite file, for one machine: every verb is one transaction (`BEGIN IMMEDIATE`, WAL,
 * `synchronous=FULL`), so that what a verb has reported outlives the process and a power cut.
 */
import type { Json, Split, SplitRecord } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { HISTORY_SPAN_SQL, historyBounds, THIN_EVERY } from './history.js';
import { holderGone } from './holder.js';
import type {
  EpochRow,
  EpochStats,
  FlowKey,
  FlowState,
  Holder,
  Lease,
  Ledger,
  LedgerSplit,
  PreparedEpoch,
  RunRow,
  RunStatus,
  SinkKey,
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
import { SqliteFile } from './sqlite-file.js';
import { epochRow, flowState, leaseRow, runRow } from './sqlite-rows.js';

export interface SqliteLedgerOptions extends LedgerOptions {
  /** Opens an existing ledger without changing it; verbs that write throw. */
  readonly readOnly?: boolean;
}

/** Where the ledger of a folder of jobs lies. */
export const DEFAULT_LEDGER_PATH = '.sluice/state.db';

/**
 * Opens the ledger at `path`, creating it and its folder when they are missing.
 * Throws `SLUICE-CORE-0103` (written by a newer version) and `SLUICE-CORE-0104` (cannot be used), having changed
 * nothing in the file.
 */
export async function openSqliteLedger(path: string, options: SqliteLedgerOptions = {}): Promise<Ledger> {
  const clock = options.clock ?? Date.now;
  const file = await SqliteFile.open(path, options.readOnly ?? false, clock());
  return new SqliteLedger(file, clock, options.isGone ?? holderGone);
}

class SqliteLedger implements Ledger {
  private thinnedAt: number | undefined;

  constructor(
    private readonly file: SqliteFile,
    private readonly clock: () => number,
    private readonly isGone: (holder: Holder) => boolean,
  ) {}

  async acquire(job: string, holder: Holder, ttlMs: number): Promise<Lease> {
    requireStorable(job, holder.run, holder.host, holder.processStart);
    return this.file.write(() => {
      const now = this.clock();
      const row = this.leaseRow(job);
      if (row?.held && this.isHeld(row.held, now))
        throw heldError(job, row.held.holder, row.held.expiresAt, now);
      return this.keep({ job, holder, fence: fenceAbove(row?.fence ?? 0n), expiresAt: now + ttlMs });
    });
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    return this.held(lease, () => this.keep({ ...lease, expiresAt: this.clock() + ttlMs }));
  }

  async release(lease: Lease): Promise<void> {
    const { run, host, pid, processStart } = lease.holder;
    await this.file.write(() =>
      this.file.run(
        `UPDATE leases SET run = NULL, host = NULL, pid = NULL, process_start = NULL, expires_at = NULL
         WHERE job = ? AND fence = ? AND run = ? AND host = ? AND pid = ? AND process_start = ?`,
        ...[lease.job, lease.fence, run, host, pid, processStart],
      ),
    );
  }

  async raiseFence(lease: Lease, above: bigint): Promise<Lease> {
    return this.held(lease, (row) => {
      const fence = lease.fence > above ? lease.fence : fenceAbove(above);
      return this.keep({ ...lease, fence, expiresAt: row.held!.expiresAt });
    });
  }

  async flow(key: FlowKey): Promise<FlowState> {
    return this.file.read(() => flowState(this.file, key));
  }

  async registerSink(
    lease: Lease,
    key: SinkKey,
    identity: { source: string; target: string },
  ): Promise<void> {
    await this.held(lease, () => {
      requireStorable(key.flow, key.sink, identity.source, identity.target);
      this.file.run(
        'INSERT INTO sinks (job, flow, sink, source, target) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        ...[key.job, key.flow, key.sink, identity.source, identity.target],
      );
    });
  }

  async startGeneration(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, () => {
      requireStorable(key.flow, stream);
      const known = this.streamGeneration(key, stream);
      if (known !== undefined && known >= generation) return;
      this.removeEnded(key, stream, generation);
      this.file.run(
        `INSERT INTO streams (job, flow, stream, generation, planned) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT DO UPDATE SET generation = excluded.generation, planned = 0`,
        ...[key.job, key.flow, stream, generation],
      );
    });
  }

  async addSplits(lease: Lease, key: FlowKey, splits: readonly LedgerSplit[]): Promise<void> {
    await this.held(lease, () => {
      for (const { split, generation } of splits) {
        if (this.splitGeneration(key, split.id) === undefined) this.addSplit(key, split, generation);
      }
    });
  }

  async markPlanned(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, () => {
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

  async prepare(
    lease: Lease,
    key: SinkKey,
    split: string,
    generation: number,
    prepared: PreparedEpoch,
  ): Promise<void> {
    await this.held(lease, () => {
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
      this.file.run(
        `INSERT INTO prepared (job, flow, split, sink, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET body = excluded.body`,
        ...[key.job, key.flow, split, key.sink, JSON.stringify(prepared)],
      );
    });
  }

  async dropPrepared(lease: Lease, key: SinkKey, split: string): Promise<void> {
    await this.held(lease, () => {
      this.requireSink(key);
      this.removePrepared(key, split);
    });
  }

  async commit(lease: Lease, key: SinkKey, record: SplitRecord, stats: EpochStats): Promise<void> {
    await this.held(lease, () => {
      const { split, generation, epoch, sealed } = record;
      this.requireSink(key);
      this.requireSplit(key, split, generation);
      const committed = this.committedEpoch(key, split.id);
      if (committed !== undefined && committed >= epoch) return;
      const now = this.clock();
      this.setPosition(key, record);
      this.file.run(
        `INSERT INTO epochs (job, flow, sink, split, generation, epoch, position, sealed, fence, rows, bytes, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[
          key.job,
          key.flow,
          key.sink,
          split.id,
          generation,
          epoch,
          JSON.stringify(record.position),
          Number(sealed),
        ],
        ...[lease.fence, stats.rows, stats.bytes, now],
      );
      this.thin(now);
    });
  }

  async adoptPositions(lease: Lease, key: SinkKey, records: readonly SplitRecord[]): Promise<void> {
    await this.held(lease, () => {
      this.requireSink(key);
      for (const record of records) {
        this.requireSplit(key, record.split, record.generation);
        this.setPosition(key, record);
      }
    });
  }

  async markPublished(lease: Lease, key: SinkKey, stream: string, generation: number): Promise<void> {
    await this.held(lease, () => {
      requireStorable(stream);
      this.requireSink(key);
      this.file.run(
        `INSERT INTO published (job, flow, sink, stream, generation) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET generation = max(generation, excluded.generation)`,
        ...[key.job, key.flow, key.sink, stream, generation],
      );
    });
  }

  async startRun(lease: Lease, run: RunRow): Promise<void> {
    await this.held(lease, () => {
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
    return this.file.read(() =>
      this.file
        .all(
          `SELECT sink, split, generation, epoch, position, sealed, CAST(fence AS TEXT) AS fence, rows, bytes, at
           FROM epochs WHERE job = ? AND flow = ? ORDER BY id DESC LIMIT ?`,
          ...[key.job, key.flow, limit],
        )
        .map(epochRow),
    );
  }

  async jobs(): Promise<string[]> {
    const rows = await this.file.read(() => this.file.all('SELECT job FROM leases'));
    return rows.map((row) => row['job'] as string).sort();
  }

  async lease(job: string): Promise<Lease | undefined> {
    const row = await this.file.read(() => this.leaseRow(job));
    if (!row?.held || !this.isHeld(row.held, this.clock())) return undefined;
    return { job, fence: row.fence, ...row.held };
  }

  async close(): Promise<void> {
    this.file.close();
  }

  /** A transaction in which the lease is known to stand. */
  private held<T>(lease: Lease, work: (row: LeaseRow) => T): Promise<T> {
    return this.file.write(() => {
      const row = this.leaseRow(lease.job);
      requireLease(lease, row);
      return work(row!);
    });
  }

  private isHeld(held: { readonly holder: Holder; readonly expiresAt: number }, now: number): boolean {
    return held.expiresAt > now && !this.isGone(held.holder);
  }

  private leaseRow(job: string): LeaseRow | undefined {
    const row = this.file.get(
      `SELECT CAST(fence AS TEXT) AS fence, run, host, pid, process_start, expires_at FROM leases WHERE job = ?`,
      job,
    );
    return row === undefined ? undefined : leaseRow(row);
  }

  private keep(lease: Lease): Lease {
    const { run, host, pid, processStart } = lease.holder;
    this.file.run(
      `INSERT INTO leases (job, fence, run, host, pid, process_start, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET fence = excluded.fence, run = excluded.run, host = excluded.host,
         pid = excluded.pid, process_start = excluded.process_start, expires_at = excluded.expires_at`,
      ...[lease.job, lease.fence, run, host, pid, processStart, lease.expiresAt],
    );
    return lease;
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
    this.file.run(
      'INSERT INTO splits (job, flow, split, generation, body) VALUES (?, ?, ?, ?, ?)',
      ...[key.job, key.flow, split.id, generation, JSON.stringify(split)],
    );
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
      for (const table of ['splits', 'split_streams', 'positions', 'prepared']) {
        this.file.run(
          `DELETE FROM ${table} WHERE job = ? AND flow = ? AND split = ?`,
          ...[key.job, key.flow, held.split.id],
        );
      }
    }
  }

  private removePrepared(key: SinkKey, split: string): void {
    this.file.run(
      'DELETE FROM prepared WHERE job = ? AND flow = ? AND split = ? AND sink = ?',
      ...[key.job, key.flow, split, key.sink],
    );
  }

  /** Thins the history when it is time; what is known of the last time is refreshed before it is trusted. */
  private thin(now: number): void {
    if (this.thinnedAt !== undefined && now - this.thinnedAt < THIN_EVERY) return;
    this.thinnedAt = Number(this.file.get(`SELECT value FROM meta WHERE key = 'thinned_at'`)!['value']);
    if (now - this.thinnedAt < THIN_EVERY) return;
    const { all, hourly } = historyBounds(now);
    this.file.run(
      `DELETE FROM epochs WHERE id IN (SELECT id FROM (
         SELECT id, row_number() OVER (PARTITION BY job, flow, sink, split, ${HISTORY_SPAN_SQL} ORDER BY id DESC) AS place
         FROM epochs WHERE at < ?) WHERE place > 1)`,
      ...[hourly, all],
    );
    this.file.run(`UPDATE meta SET value = ? WHERE key = 'thinned_at'`, `${now}`);
    this.thinnedAt = now;
  }
}
