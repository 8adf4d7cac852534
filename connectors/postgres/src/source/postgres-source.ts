/** A PostgreSQL database as a source. */
import type {
  Catalog,
  Context,
  DiagnosedStream,
  DropLog,
  Fill,
  Finding,
  Json,
  KeptLog,
  Lag,
  OpenRequest,
  PollPlace,
  Reader,
  ReadPlan,
  Source,
  Split,
  StreamRead,
  StreamSchema,
} from '@sluice/sdk';
import type { PostgresConfig } from '../config.js';
import { Connections } from '../connection/connections.js';
import { databaseIdentity } from '../connection/identity.js';
import type { Session } from '../connection/session.js';
import { tableError } from '../connection/table-error.js';
import { diagnoseSource } from '../diagnose/diagnose-source.js';
import { pgErrors } from '../errors.js';
import { parseStreamName } from '../quote.js';
import { ChangeLog } from '../stream/change-log.js';
import { lsnText, parseLsn } from '../stream/lsn.js';
import { logEnd } from '../stream/slot.js';
import { ClearFirst } from './clear-first.js';
import { Increments } from './cursor/increments.js';
import { discover } from './discover.js';
import { fillsSince } from './fills.js';
import { KeyReader } from './key-reader.js';
import { keySplits } from './plan-key.js';
import { type ScanPlan, scanSplits } from './plan-scan.js';
import { filteredRelations } from './policies.js';
import { findRelation, keysOf } from './relation.js';
import { ScanReader } from './scan-reader.js';
import { SharedSnapshot } from './snapshot.js';
import { sourceOptions } from './source-options.js';
import { asJson, type KeySpec, type ScanSpec, specOf } from './split-spec.js';

export class PostgresSource implements Source {
  readonly capabilities = {
    replay: true,
    modes: ['full', 'incremental', 'cdc'],
    incremental: 'exact',
    before: false,
    once: true,
  } as const;
  private readonly connections: Connections;
  private snapshot: Promise<SharedSnapshot> | undefined;
  private readonly increments: Increments;
  private readonly changes: ChangeLog;

  constructor(private readonly config: PostgresConfig) {
    this.connections = new Connections(config);
    this.increments = new Increments(this.connections);
    this.changes = new ChangeLog(config, this.connections);
  }

  async check(c: Context): Promise<void> {
    await this.connections.using(c, (session) => session.query('SELECT 1'));
  }

  diagnose(streams: readonly DiagnosedStream[], c: Context): Promise<Finding[]> {
    return this.connections.using(c, (session) => diagnoseSource(session, streams));
  }

  identity(c: Context): Promise<string> {
    return this.connections.using(c, databaseIdentity);
  }

  discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    return this.connections.using(c, (session) => discover(session, patterns));
  }

  async planReads(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]> {
    const byCursor = reads.filter(({ mode }) => mode === 'incremental');
    const logged = reads.filter(({ mode }) => mode === 'cdc');
    return [
      ...(byCursor.length === 0 ? [] : await this.increments.plan(byCursor, c)),
      ...(logged.length === 0 ? [] : await this.changes.plan(logged, c)),
    ];
  }

  fills(schema: StreamSchema, columns: readonly string[], since: Json, c: Context): Promise<readonly Fill[]> {
    return this.connections.using(c, (session) => fillsSince(session, schema, columns, since));
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncGenerator<Split> {
    const byCursor = reads.filter(({ mode }) => mode === 'incremental');
    if (byCursor.length > 0) yield* await this.increments.splits(byCursor, known, c);
    const logged = reads.filter(({ mode }) => mode === 'cdc');
    const log = logged.length === 0 ? undefined : await this.changes.join(logged, known, c);
    if (log?.isNew) yield log.split;
    for (const read of reads.filter(({ mode }) => mode !== 'incremental')) {
      const before = known.filter((split) => split.phase === 'bulk' && split.streams.includes(read.stream));
      if (read.mode === 'full') {
        yield* await this.connections.using(c, (session) => this.planStream(session, read, before, c));
        continue;
      }
      if (read.from !== undefined) continue;
      // What is copied before a log is read stays: the copy goes on where it was.
      const copy = {
        read: { ...read, resumable: true },
        ...copyOf(before, read, log?.joining.includes(read.stream) === true),
      };
      yield* await this.connections.using(c, (session) => this.planCopy(session, copy, c));
    }
    // Behind what is to be copied: with it those streams have joined.
    if (log?.isNew === false) yield log.split;
  }

  idle(polls: readonly PollPlace[], c: Context): Promise<boolean[]> {
    return this.increments.idle(polls, c);
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const { kind } = specOf(request.split);
    if (kind === 'cursor') return this.increments.open(request, c);
    if (kind === 'log') return this.changes.open(request, c);
    const session = await this.connections.open(c);
    try {
      if (kind === 'scan') {
        const reader = await ScanReader.open(session, request);
        return clearsFirst(request) ? new ClearFirst(reader, request, reader.origins) : reader;
      }
      const reader = await KeyReader.open(session, request);
      return clearsFirst(request) ? new ClearFirst(reader, request, undefined) : reader;
    } catch (error) {
      await session.close();
      throw tableError(error, request.split.streams[0]!);
    }
  }

  lag(log: Split, c: Context): Promise<Lag> {
    return this.changes.lag(log, c);
  }

  logEnd(_split: Split, c: Context): Promise<Json> {
    return this.connections.using(c, async (session) => lsnText(await logEnd(session)));
  }

  comparePositions(_split: Split, a: Json, b: Json): number {
    const [first, second] = [parseLsn(a), parseLsn(b)];
    return first < second ? -1 : Number(first > second);
  }

  clean(flow: string, certain: boolean, c: Context): Promise<string[]> {
    return this.changes.clean(flow, certain, c);
  }

  keptLogs(flow: string | undefined, c: Context): Promise<KeptLog[]> {
    return this.changes.kept(flow, c);
  }

  dropLog(flow: string, how: DropLog, c: Context): Promise<string[]> {
    return this.changes.drop(flow, how, c);
  }

  async close(): Promise<void> {
    const snapshot = await this.snapshot?.catch(() => undefined);
    await snapshot?.close();
    await this.connections.close();
  }

  /** Ranges of blocks live and die with this object's snapshot, so that only ranges of the key are planned on. */
  private async planStream(
    session: Session,
    read: StreamRead,
    known: readonly Split[],
    c: Context,
  ): Promise<Split[]> {
    const byKey = known.some((split) => specOf(split).kind === 'key');
    if (known.length > 0 && !byKey) return [];
    const { chunk } = sourceOptions.parse(read.options);
    const plan = await this.scanPlan(session, read, c);
    const { relation, filtered, splitBytes } = plan;
    const wanted = byKey ? 'key' : chunk;
    if (wanted === 'key' || (wanted === 'auto' && read.resumable)) {
      const key = (await keysOf(session, [relation.oid])).get(relation.oid);
      const usable = key?.every((name) => read.schema.fields.some((f) => f.name === name));
      if (key !== undefined && usable) {
        return keySplits(session, { read, filtered, relation, key, splitBytes, known });
      }
      if (wanted === 'key') {
        throw pgErrors.unsupported(
          `${read.stream}: "chunk": "key" needs a primary key or a unique index on columns that are never null`,
          { details: { stream: read.stream } },
        );
      }
    }
    if (wanted === 'ctid' && read.resumable) {
      throw pgErrors.unsupported(
        `${read.stream}: "chunk": "ctid" cannot be resumed, which this write mode needs; use "key" or "none"`,
      );
    }
    return scanSplits(session, plan, read.resumable ? 'none' : wanted);
  }

  private async scanPlan(session: Session, read: StreamRead, c: Context): Promise<ScanPlan> {
    const relation = await findRelation(session, parseStreamName(read.stream));
    if (relation === undefined) {
      throw pgErrors.missing(`${read.stream} is not there any more`, { details: { stream: read.stream } });
    }
    const filtered = (await filteredRelations(session, [relation])).has(relation.oid);
    const { splitBytes } = this.config;
    return { read, filtered, relation, splitBytes, snapshot: () => this.sharedSnapshot(c) };
  }

  /** A copy that others have preceded is made in one part: it begins by clearing what they left. */
  private async planCopy(session: Session, { read, known, number }: Copy, c: Context): Promise<Split[]> {
    if (read.once) return known.length > 0 ? [] : this.planOnce(session, { read, number }, c);
    if (number === 1) return this.planStream(session, read, known, c);
    if (known.length > 0) return [];
    const parts = await this.planStream(session, read, [], c);
    const { to: _, ...whole } = specOf(parts[0]!) as KeySpec;
    const sum = (of: 'estimatedRows' | 'estimatedBytes') =>
      parts.reduce((sum, part) => sum + (part[of] ?? 0), 0);
    return [
      {
        ...parts[0]!,
        id: `${read.stream}/copy-${number}`,
        spec: asJson({ ...whole, copy: number }),
        estimatedRows: sum('estimatedRows'),
        estimatedBytes: sum('estimatedBytes'),
      },
    ];
  }

  /** A copy of one instant: in one part, of which nothing is kept before it is whole. */
  private async planOnce(
    session: Session,
    { read, number }: Omit<Copy, 'known'>,
    c: Context,
  ): Promise<Split[]> {
    const [whole] = await scanSplits(session, await this.scanPlan(session, read, c), 'none');
    const spec: ScanSpec = { ...(specOf(whole!) as ScanSpec), once: true, copy: number };
    return [{ ...whole!, id: `${read.stream}/copy-${number}`, spec: asJson(spec) }];
  }

  /** One for all streams of a run: their copies show one instant. */
  private async sharedSnapshot(c: Context): Promise<string> {
    this.snapshot ??= this.connections.open(c).then((session) => SharedSnapshot.take(session));
    const snapshot = await this.snapshot.catch((error: unknown) => {
      this.snapshot = undefined;
      throw error;
    });
    if (!snapshot.alive)
      throw pgErrors.snapshotLost(`the connection that held the snapshot ${snapshot.id} is gone`);
    return snapshot.id;
  }
}

/** One of the copies that a stream has before its changes are read. */
interface Copy {
  readonly read: StreamRead;
  /** What is planned of it. */
  readonly known: readonly Split[];
  readonly number: number;
}

function numberOf(split: Split): number {
  return (specOf(split) as KeySpec).copy ?? 1;
}

/** Whether what earlier copies left goes before the first row comes. */
function clearsFirst({ split, at }: OpenRequest): boolean {
  return at === null && numberOf(split) > 1;
}

/**
 * The copy that a stream is at, or the next one where it joins the log again, or needs one of one instant. Of a later
 * generation not even the first is without others before it: the targets have rows of earlier ones, and nobody has read
 * which of them were deleted.
 */
function copyOf(
  splits: readonly Split[],
  { generation, once }: StreamRead,
  joins: boolean,
): Pick<Copy, 'known' | 'number'> {
  const last = splits.length > 0 ? Math.max(...splits.map(numberOf)) : generation > 1 ? 2 : 1;
  const known = splits.filter((split) => numberOf(split) === last);
  const isWhole = known.some((split) => (specOf(split) as KeySpec).to === undefined);
  const unfit = once === true && known.length > 0 && !known.some((split) => (specOf(split) as ScanSpec).once);
  return (joins && isWhole) || unfit ? { known: [], number: last + 1 } : { known, number: last };
}
