/** A PostgreSQL database as a source. */
import type { Catalog, Context, OpenRequest, Reader, Source, Split, StreamRead } from '@sluice/sdk';
import type { PostgresConfig } from '../config.js';
import { Connections } from '../connection/connections.js';
import { databaseIdentity } from '../connection/identity.js';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { parseStreamName } from '../quote.js';
import { discover } from './discover.js';
import { scanSplits } from './plan-scan.js';
import { findRelation } from './relation.js';
import { ScanReader } from './scan-reader.js';
import { SharedSnapshot } from './snapshot.js';
import { sourceOptions } from './source-options.js';

export class PostgresSource implements Source {
  readonly capabilities = { replay: true, modes: ['full'], incremental: 'none', before: false } as const;
  private readonly connections: Connections;
  private snapshot: Promise<SharedSnapshot> | undefined;

  constructor(private readonly config: PostgresConfig) {
    this.connections = new Connections(config);
  }

  async check(c: Context): Promise<void> {
    await this.connections.using(c, (session) => session.query('SELECT 1'));
  }

  identity(c: Context): Promise<string> {
    return this.connections.using(c, databaseIdentity);
  }

  discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    return this.connections.using(c, (session) => discover(session, patterns));
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncGenerator<Split> {
    const planned = new Set(known.flatMap((split) => split.streams));
    for (const read of reads) {
      if (planned.has(read.stream)) continue;
      yield* await this.connections.using(c, (session) => this.planStream(session, read, c));
    }
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const session = await this.connections.open(c);
    try {
      return await ScanReader.open(session, request);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const snapshot = await this.snapshot?.catch(() => undefined);
    await snapshot?.close();
    await this.connections.close();
  }

  private async planStream(session: Session, read: StreamRead, c: Context): Promise<Split[]> {
    const { chunk } = sourceOptions.parse(read.options);
    const relation = await findRelation(session, parseStreamName(read.stream));
    if (relation === undefined) throw pgErrors.missing(`${read.stream} is not there any more`);
    const { splitBytes } = this.config;
    const plan = { read, relation, splitBytes, snapshot: () => this.sharedSnapshot(c) };
    return scanSplits(session, plan, chunk === 'key' ? 'none' : chunk);
  }

  /** One for all streams of a run: their copies show one instant. */
  private async sharedSnapshot(c: Context): Promise<string> {
    this.snapshot ??= this.connections.open(c).then((session) => SharedSnapshot.take(session));
    const snapshot = await this.snapshot;
    if (!snapshot.alive)
      throw pgErrors.snapshotLost(`the connection that held the snapshot ${snapshot.id} is gone`);
    return snapshot.id;
  }
}
