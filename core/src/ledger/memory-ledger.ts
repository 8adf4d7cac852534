/**
 * A ledger in memory: the contract without a disk, for tests and for models of the engine. It forgets everything
 * with the process; `clone()` gives a copy that goes its own way, as a model needs at every step.
 */
import type { Json, Split, SplitRecord } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { historySpan, isThinTime } from './history.js';
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
  PositionState,
  PreparedEpoch,
  Publication,
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

interface SinkRows {
  source: string;
  target: string;
  published: Map<string, Publication>;
  positions: Map<string, Omit<PositionState, 'prepared'>>;
  prepared: Map<string, PreparedEpoch>;
}

interface FlowRows {
  streams: Map<string, StreamState>;
  splits: Map<string, LedgerSplit>;
  sinks: Map<string, SinkRows>;
  /** Oldest first. */
  epochs: EpochRow[];
  /** Streams that are to be copied once more. */
  requested: Set<string>;
}

interface State {
  leases: Map<string, LeaseRow>;
  /** By job, then by flow. */
  flows: Map<string, Map<string, FlowRows>>;
  runs: Map<string, RunRow>;
  /** By job, then by id. */
  letters: Map<string, Map<string, DeadLetter>>;
  thinnedAt: number;
}

export class MemoryLedger implements Ledger {
  private readonly clock: () => number;
  private readonly isGone: (holder: Holder) => boolean;
  private state: State;

  constructor(options: LedgerOptions = {}) {
    this.clock = options.clock ?? Date.now;
    this.isGone = options.isGone ?? holderGone;
    this.state = {
      leases: new Map(),
      flows: new Map(),
      runs: new Map(),
      letters: new Map(),
      thinnedAt: this.clock(),
    };
  }

  /** A ledger with the same state and options; the two share nothing that changes. */
  clone(): MemoryLedger {
    const copy = new MemoryLedger({ clock: this.clock, isGone: this.isGone });
    copy.state = structuredClone(this.state);
    return copy;
  }

  async acquire(job: string, holder: Holder, ttlMs: number): Promise<Lease> {
    requireStorable(job, holder.run, holder.host, holder.processStart);
    const now = this.clock();
    const row = this.state.leases.get(job);
    if (row?.held && this.isHeld(row.held, now))
      throw heldError(job, row.held.holder, row.held.expiresAt, now);
    return this.keep({ job, holder, fence: fenceAbove(row?.fence ?? 0n), expiresAt: now + ttlMs });
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    this.check(lease);
    return this.keep({ ...lease, expiresAt: this.clock() + ttlMs });
  }

  async release(lease: Lease): Promise<void> {
    try {
      this.check(lease);
    } catch {
      return; // the other run's lease is none of ours to end
    }
    this.state.leases.set(lease.job, { fence: lease.fence });
  }

  async raiseFence(lease: Lease, above: bigint): Promise<Lease> {
    this.check(lease);
    const { expiresAt } = this.state.leases.get(lease.job)!.held!;
    const fence = lease.fence > above ? lease.fence : fenceAbove(above);
    return this.keep({ ...lease, fence, expiresAt });
  }

  async flow(key: FlowKey): Promise<FlowState> {
    const rows = this.state.flows.get(key.job)?.get(key.flow);
    if (rows === undefined) return { streams: {}, splits: {}, sinks: {} };
    return structuredClone({
      streams: Object.fromEntries(rows.streams),
      splits: Object.fromEntries(rows.splits),
      sinks: Object.fromEntries([...rows.sinks].map(([name, sink]) => [name, sinkState(sink, rows.splits)])),
    });
  }

  async registerSink(
    lease: Lease,
    key: SinkKey,
    identity: { source: string; target: string },
  ): Promise<void> {
    this.check(lease, key.job);
    requireStorable(key.flow, key.sink, identity.source, identity.target);
    const { sinks } = this.rows(key);
    if (sinks.has(key.sink)) return;
    const { source, target } = identity;
    sinks.set(key.sink, { source, target, published: new Map(), positions: new Map(), prepared: new Map() });
  }

  async startGeneration(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    this.check(lease, key.job);
    requireStorable(key.flow, stream);
    const rows = this.rows(key);
    const known = rows.streams.get(stream);
    if (known !== undefined && known.generation >= generation) return;
    for (const [id, held] of rows.splits) {
      if (!held.split.streams.includes(stream)) continue;
      if (!endsWith(held, stream, generation, (name) => generationOf(rows, name))) continue;
      rows.splits.delete(id);
      for (const sink of rows.sinks.values()) {
        sink.positions.delete(id);
        sink.prepared.delete(id);
      }
    }
    rows.streams.set(stream, { ...(known && released(known)), generation, planned: false });
  }

  async addSplits(lease: Lease, key: FlowKey, splits: readonly LedgerSplit[]): Promise<void> {
    this.check(lease, key.job);
    const rows = this.rows(key);
    this.wholly(rows, () => {
      for (const { split, generation } of splits) {
        const known = rows.splits.get(split.id);
        if (known === undefined) this.addSplit(rows, key, split, generation);
        else if (split.phase === 'log') rows.splits.set(split.id, { ...known, split: stored(split) });
      }
    });
  }

  async markPlanned(lease: Lease, key: FlowKey, stream: string, generation: number): Promise<void> {
    this.check(lease, key.job);
    requireStorable(key.flow, stream);
    const rows = this.rows(key);
    const known = generationOf(rows, stream);
    if (known !== generation) {
      throw coreErrors.ledgerMisused(`stream ${stream} is at generation ${known}, not ${generation}`);
    }
    rows.streams.set(stream, { ...rows.streams.get(stream), generation, planned: true });
  }

  async requestCopies(key: FlowKey, streams: readonly string[]): Promise<void> {
    requireStorable(key.job, key.flow, ...streams);
    const { requested } = this.rows(key);
    for (const stream of streams) requested.add(stream);
  }

  async requestedCopies(key: FlowKey): Promise<string[]> {
    return [...(this.state.flows.get(key.job)?.get(key.flow)?.requested ?? [])].sort();
  }

  async dropCopyRequests(lease: Lease, key: FlowKey, streams: readonly string[]): Promise<void> {
    this.check(lease, key.job);
    const rows = this.rows(key);
    for (const stream of streams) {
      rows.requested.delete(stream);
      const known = rows.streams.get(stream);
      if (known !== undefined) rows.streams.set(stream, released(known));
    }
  }

  async quarantine(lease: Lease, key: FlowKey, stream: string, why: Quarantine): Promise<void> {
    this.check(lease, key.job);
    requireStorable(key.flow, stream);
    const rows = this.rows(key);
    const known = rows.streams.get(stream) ?? { generation: 0, planned: false };
    rows.streams.set(stream, { ...known, quarantined: stored(why) });
    rows.requested.delete(stream);
  }

  async recordSchema(lease: Lease, key: FlowKey, schema: KnownSchema): Promise<void> {
    this.check(lease, key.job);
    const { streams } = this.rows(key);
    const known = streams.get(schema.stream);
    if (known !== undefined) streams.set(schema.stream, { ...known, schema: stored(schema) });
  }

  async prepare(
    lease: Lease,
    key: SinkKey,
    split: string,
    generation: number,
    prepared: PreparedEpoch,
  ): Promise<void> {
    this.check(lease, key.job);
    const rows = this.rows(key);
    const sink = this.sink(rows, key);
    const known = rows.splits.get(split);
    if (known === undefined)
      throw coreErrors.ledgerMisused(`split ${split} was prepared before it was added`);
    requireGeneration(split, known.generation, generation);
    const committed = sink.positions.get(split)?.epoch ?? 0;
    if (prepared.epoch <= committed) {
      throw coreErrors.ledgerMisused(
        `epoch ${prepared.epoch} of split ${split} was prepared after ${committed} had been committed`,
      );
    }
    sink.prepared.set(split, stored(prepared));
  }

  async dropPrepared(lease: Lease, key: SinkKey, split: string): Promise<void> {
    this.check(lease, key.job);
    this.sink(this.rows(key), key).prepared.delete(split);
  }

  async commit(lease: Lease, key: SinkKey, record: SplitRecord, stats: EpochStats): Promise<void> {
    this.check(lease, key.job);
    const rows = this.rows(key);
    const sink = this.sink(rows, key);
    this.requireSplit(rows, key, record.split, record.generation);
    const { generation, epoch, position, sealed } = record;
    const { id } = record.split;
    const known = sink.positions.get(id);
    if (known !== undefined && known.epoch >= epoch) return;
    sink.prepared.delete(id);
    sink.positions.set(id, stored({ generation, epoch, position, sealed }));
    const at = this.clock();
    const moved = { rows: stats.rows, bytes: stats.bytes };
    rows.epochs.push(
      stored({
        sink: key.sink,
        split: id,
        generation,
        epoch,
        position,
        sealed,
        fence: lease.fence,
        at,
        ...moved,
      }),
    );
    this.thin(at);
  }

  async adoptPositions(lease: Lease, key: SinkKey, records: readonly SplitRecord[]): Promise<void> {
    this.check(lease, key.job);
    const rows = this.rows(key);
    const sink = this.sink(rows, key);
    this.wholly(rows, () => {
      for (const { split, generation } of records) this.requireSplit(rows, key, split, generation);
    });
    for (const { split, generation, epoch, position, sealed } of records) {
      sink.prepared.delete(split.id);
      sink.positions.set(split.id, stored({ generation, epoch, position, sealed }));
    }
  }

  async markPublished(lease: Lease, key: SinkKey, stream: string, generation: number): Promise<void> {
    this.check(lease, key.job);
    requireStorable(stream);
    const { published } = this.sink(this.rows(key), key);
    const known = published.get(stream);
    if (known === undefined || generation > known.generation)
      published.set(stream, { generation, run: lease.holder.run });
  }

  async replaceFlow(lease: Lease, key: FlowKey, state: FlowState): Promise<void> {
    this.check(lease, key.job);
    requireWhole(key, state);
    const rows = this.rows(key);
    const moves = movesOf(await this.flow(key), state);
    rows.streams = new Map(Object.entries(stored(state.streams)));
    rows.splits = new Map(Object.entries(stored(state.splits)));
    rows.sinks = new Map(Object.entries(state.sinks).map(([name, sink]) => [name, sinkRows(sink)]));
    const at = this.clock();
    for (const { sink, split, from, to } of moves) {
      if (from !== undefined && from.generation !== to.generation) {
        rows.epochs = rows.epochs.map((row) =>
          row.sink === sink &&
          row.split === split &&
          row.generation === from.generation &&
          row.epoch <= to.epoch
            ? { ...row, generation: to.generation }
            : row,
        );
      }
      const { generation, epoch, position, sealed } = to;
      const place = { sink, split, generation, epoch, position, sealed };
      rows.epochs.push(stored({ ...place, fence: lease.fence, at, rows: 0, bytes: 0 }));
      this.thin(at);
    }
  }

  async forget(lease: Lease): Promise<void> {
    this.check(lease);
    for (const rows of this.state.flows.get(lease.job)?.values() ?? []) {
      rows.streams.clear();
      rows.splits.clear();
      rows.sinks.clear();
      rows.requested.clear();
    }
  }

  async addLetters(lease: Lease, letters: readonly DeadLetter[]): Promise<void> {
    this.check(lease);
    const held = this.state.letters.get(lease.job) ?? new Map<string, DeadLetter>();
    this.state.letters.set(lease.job, held);
    for (const letter of letters) requireStorable(letter.id, letter.flow, letter.sink, letter.stream);
    for (const letter of letters) held.set(letter.id, stored(letter));
  }

  async letters(job: string, filter: LetterFilter, limit: number): Promise<DeadLetter[]> {
    return structuredClone(this.matching(job, filter).slice(0, limit));
  }

  async countLetters(job: string, filter: LetterFilter): Promise<number> {
    return this.matching(job, filter).length;
  }

  async dropLetters(lease: Lease, ids: readonly string[]): Promise<void> {
    this.check(lease);
    for (const id of ids) this.state.letters.get(lease.job)?.delete(id);
  }

  private matching(job: string, filter: LetterFilter): DeadLetter[] {
    const wanted = Object.entries(filter) as [keyof LetterFilter, string | undefined][];
    return [...(this.state.letters.get(job)?.values() ?? [])].filter((letter) =>
      wanted.every(([key, value]) => value === undefined || letter[key] === value),
    );
  }

  async startRun(lease: Lease, run: RunRow): Promise<void> {
    this.check(lease, run.job);
    requireStorable(run.run, run.job);
    this.state.runs.set(run.run, stored(run));
  }

  async endRun(run: string, status: RunStatus, endedAt: number, result: Json): Promise<void> {
    const row = this.state.runs.get(run);
    if (row !== undefined) this.state.runs.set(run, stored({ ...row, status, endedAt, result }));
  }

  async runs(job: string, limit: number): Promise<RunRow[]> {
    const all = [...this.state.runs.values()].filter((run) => run.job === job);
    return structuredClone(all.reverse().slice(0, limit));
  }

  async epochs(key: FlowKey, limit: number): Promise<EpochRow[]> {
    const rows = this.state.flows.get(key.job)?.get(key.flow)?.epochs ?? [];
    return structuredClone(rows.toReversed().slice(0, limit));
  }

  async flows(job: string): Promise<string[]> {
    const flows = [...(this.state.flows.get(job) ?? [])];
    return flows
      .filter(([, { streams, sinks }]) => streams.size + sinks.size > 0)
      .map(([name]) => name)
      .sort();
  }

  async jobs(): Promise<string[]> {
    return [...this.state.leases.keys()].sort();
  }

  async lease(job: string): Promise<Lease | undefined> {
    const row = this.state.leases.get(job);
    if (!row?.held || !this.isHeld(row.held, this.clock())) return undefined;
    return structuredClone({ job, fence: row.fence, ...row.held });
  }

  async close(): Promise<void> {}

  private isHeld(held: { readonly holder: Holder; readonly expiresAt: number }, now: number): boolean {
    return held.expiresAt > now && !this.isGone(held.holder);
  }

  private check(lease: Lease, job = lease.job): void {
    requireLease(lease, this.state.leases.get(lease.job), job);
  }

  private keep(lease: Lease): Lease {
    const { job, fence, holder, expiresAt } = lease;
    this.state.leases.set(job, stored({ fence, held: { holder, expiresAt } }));
    return lease;
  }

  private rows(key: FlowKey): FlowRows {
    const flows = this.state.flows.get(key.job) ?? new Map<string, FlowRows>();
    this.state.flows.set(key.job, flows);
    const rows = flows.get(key.flow) ?? {
      streams: new Map(),
      splits: new Map(),
      sinks: new Map(),
      epochs: [],
      requested: new Set(),
    };
    flows.set(key.flow, rows);
    return rows;
  }

  private sink(rows: FlowRows, key: SinkKey): SinkRows {
    const sink = rows.sinks.get(key.sink);
    requireRegistered(sink !== undefined, key.sink);
    return sink!;
  }

  /** A sink's record may bring a split that this ledger has lost: it is taken over. */
  private requireSplit(rows: FlowRows, key: FlowKey, split: Split, generation: number): void {
    const known = rows.splits.get(split.id);
    if (known === undefined) this.addSplit(rows, key, split, generation);
    else requireGeneration(split.id, known.generation, generation);
  }

  private addSplit(rows: FlowRows, key: FlowKey, split: Split, generation: number): void {
    requireStorable(key.flow, split.id, ...split.streams);
    requireCurrent(split, generation, (name) => generationOf(rows, name));
    rows.splits.set(split.id, stored({ split, generation }));
  }

  /** Adds all splits of a verb or, when one is refused, none. */
  private wholly(rows: FlowRows, work: () => void): void {
    const before = new Map(rows.splits);
    try {
      work();
    } catch (error) {
      rows.splits = before;
      throw error;
    }
  }

  private thin(now: number): void {
    if (!isThinTime(now, this.state.thinnedAt)) return;
    this.state.thinnedAt = now;
    for (const flows of this.state.flows.values()) {
      for (const rows of flows.values()) rows.epochs = thinned(rows.epochs, now);
    }
  }
}

function thinned(epochs: readonly EpochRow[], now: number): EpochRow[] {
  const seen = new Set<string>();
  const kept = epochs.toReversed().filter(({ sink, split, at }) => {
    const span = historySpan(at, now);
    if (span === undefined) return true;
    const place = JSON.stringify([sink, split, span]);
    return seen.has(place) ? false : seen.add(place) !== undefined;
  });
  return kept.reverse();
}

/** A stream that is no longer quarantined. */
function released({ quarantined: _, ...known }: StreamState): StreamState {
  return known;
}

function generationOf(rows: FlowRows, stream: string): number {
  return rows.streams.get(stream)?.generation ?? 0;
}

function sinkRows({ source, target, published, positions }: SinkState): SinkRows {
  const rows: SinkRows = {
    source,
    target,
    published: new Map(Object.entries(stored(published))),
    positions: new Map(),
    prepared: new Map(),
  };
  for (const [id, { prepared, ...position }] of Object.entries(stored(positions))) {
    if (position.epoch > 0) rows.positions.set(id, position);
    if (prepared !== undefined) rows.prepared.set(id, prepared);
  }
  return rows;
}

function sinkState(sink: SinkRows, splits: ReadonlyMap<string, LedgerSplit>): SinkState {
  const positions = new Map<string, PositionState>(sink.positions);
  for (const [id, prepared] of sink.prepared) {
    const { split, generation } = splits.get(id)!;
    const committed = sink.positions.get(id) ?? {
      generation,
      epoch: 0,
      position: split.start,
      sealed: false,
    };
    positions.set(id, { ...committed, prepared });
  }
  const { source, target } = sink;
  return {
    source,
    target,
    published: Object.fromEntries(sink.published),
    positions: Object.fromEntries(positions),
  };
}

/** What is stored is a copy: later changes of the caller's objects do not reach the ledger. */
function stored<T>(value: T): T {
  return structuredClone(value);
}
