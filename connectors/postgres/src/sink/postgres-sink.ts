/** A PostgreSQL database as a sink. */
import type {
  Context,
  DiagnosedTarget,
  Finding,
  LaneRequest,
  PublishOptions,
  Sink,
  SinkCapabilities,
  SinkJob,
  SinkRecord,
  SinkStream,
  TablePlan,
  TargetSource,
  Writer,
} from '@sluice/sdk';
import type { PostgresConfig } from '../config.js';
import { Connections } from '../connection/connections.js';
import { databaseIdentity } from '../connection/identity.js';
import { onTable } from '../connection/table-error.js';
import { diagnoseSink } from '../diagnose/diagnose-sink.js';
import { streamName } from '../quote.js';
import { PostgresSource } from '../source/postgres-source.js';
import { applySchema } from './apply-schema.js';
import { checkWritable } from './check-writable.js';
import { clean } from './clean.js';
import { FirstCopies } from './first-copy.js';
import { planTables } from './plan-table.js';
import { PostgresWriter } from './postgres-writer.js';
import { publish } from './publish.js';
import { adopt, attach } from './record.js';
import { RecordTables } from './record-tables.js';
import { detailOf } from './table-detail.js';

/** A commit that was answered is durable, whatever the role or database has configured. */
const DURABLE = `SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
  WHERE pg_catalog.current_setting('synchronous_commit') = 'off'`;

export class PostgresSink implements Sink {
  readonly capabilities: SinkCapabilities;
  private readonly tables: RecordTables;
  private readonly connections: Connections;
  private readonly firsts: FirstCopies;

  constructor(private readonly config: PostgresConfig) {
    this.tables = new RecordTables(config.schema);
    this.connections = new Connections(config, [DURABLE]);
    this.firsts = new FirstCopies(this.tables);
    this.capabilities = {
      modes: {
        append: 'atomic',
        upsert: 'atomic',
        replace: 'atomic',
        mirror: 'atomic',
        history: 'atomic',
      },
      transactions: 'whole',
      partialUpdates: true,
      move: true,
      marks: true,
      guard: false,
      writers: config.parallel,
      epoch: { ms: 5_000, bytes: 256 * 1024 * 1024 },
    };
  }

  async check(c: Context): Promise<void> {
    await this.connections.using(c, (session) => checkWritable(session, this.config.schema, this.tables));
  }

  diagnose(targets: readonly DiagnosedTarget[], c: Context): Promise<Finding[]> {
    return this.connections.using(c, (session) =>
      diagnoseSink(session, targets, this.config.schema, this.tables),
    );
  }

  identity(c: Context): Promise<string> {
    return this.connections.using(c, databaseIdentity);
  }

  plan(streams: readonly SinkStream[], c: Context): Promise<TablePlan[]> {
    return this.connections.using(c, (session) =>
      planTables(session, this.tables, this.config.schema, streams),
    );
  }

  attach(job: SinkJob, c: Context): Promise<SinkRecord | undefined> {
    return this.connections.using(c, (session) => attach(session, this.tables, job));
  }

  adopt(job: SinkJob, record: Pick<SinkRecord, 'streams' | 'splits'>, c: Context): Promise<void> {
    return this.connections.using(c, (session) => adopt(session, this.tables, job, record));
  }

  applySchema(job: SinkJob, table: TablePlan, generation: number, c: Context): Promise<void> {
    const { tables } = this;
    return this.connections.using(c, (session) =>
      onTable(table.stream, applySchema({ session, tables, job, table, generation })),
    );
  }

  publish(
    job: SinkJob,
    table: TablePlan,
    generation: number,
    options: PublishOptions,
    c: Context,
  ): Promise<void> {
    const { tables } = this;
    return this.connections.using(c, (session) =>
      publish({ session, tables, job, table, generation }, options),
    );
  }

  async open(lane: LaneRequest, c: Context): Promise<Writer> {
    const session = await this.connections.open(c);
    try {
      return await PostgresWriter.open(session, this.tables, this.firsts, lane);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  reads(tables: readonly TablePlan[]): TargetSource {
    return {
      source: new PostgresSource(this.config),
      streams: tables.map((table) => streamName(detailOf(table))),
    };
  }

  clean(job: string, certain: boolean, c: Context): Promise<string[]> {
    return this.connections.using(c, (session) => clean(session, this.tables, job, certain));
  }

  close(): Promise<void> {
    return this.connections.close();
  }
}
