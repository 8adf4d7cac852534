/** The sink: rows and positions in one transaction of an embedded database. */
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import {
  type Context,
  type DiagnosedTarget,
  type Finding,
  failpoint,
  folderFindings,
  isGenerational,
  type LaneRequest,
  may,
  type PublishOptions,
  type Sink,
  type SinkJob,
  type SinkRecord,
  type SinkStream,
  shellWord,
  type TablePlan,
  type TargetSource,
} from '@sluice/sdk';
import { type Database, type DatabaseLease, fileExists, openDatabase } from '../database/database.js';
import { databasePath, MEMORY } from '../database/database-path.js';
import { identityOf, identityOfPath } from '../database/identity.js';
import type { DuckdbConfig } from '../duckdb-config.js';
import { duckdbErrors } from '../errors.js';
import { DuckdbSource } from '../source/duckdb-source.js';
import { ensureTable } from '../tables/converge.js';
import { folded, plainName, qualified } from '../tables/identifiers.js';
import { onTable } from '../tables/table-error.js';
import { makerOf, readShape } from '../tables/table-shape.js';
import { stagingTable, targetOf, wantedColumns } from '../tables/target.js';
import { cleaning } from './clean.js';
import { type DuckdbWriter, openWriter } from './duckdb-writer.js';
import { fillColumns } from './fill-columns.js';
import { planTable } from './plan-table.js';
import { publishGeneration } from './publish.js';
import * as records from './records.js';
import { dropOtherStagings } from './staging.js';

export class DuckdbSink implements Sink {
  readonly capabilities = {
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
    // Each writer's statements hold a thread of libuv's pool, which has four: one stays free for files and names.
    writers: 3,
    // Large epochs cost nothing here, and few of them leave full row groups.
    epoch: { rows: 4_000_000, bytes: 512 << 20 },
  } as const;
  /** Held from `attach` to `close`, so that no other process can come in between. */
  private lease: Promise<DatabaseLease> | undefined;

  constructor(private readonly config: DuckdbConfig) {}

  async check(c: Context): Promise<void> {
    const file = await this.file(c);
    if (!(await fileExists(file))) {
      await access(path.dirname(file), constants.W_OK).catch((cause) => {
        throw duckdbErrors.unreachable(`${path.dirname(file)} is no folder that can be written to`, {
          cause,
        });
      });
      return;
    }
    await access(file, constants.W_OK).catch((cause) => {
      throw duckdbErrors.unreachable(`${file} cannot be written`, { cause });
    });
    await this.look(c, async (database) => database.control.run('SELECT 1', 'check the database'));
  }

  async diagnose(_targets: readonly DiagnosedTarget[], c: Context): Promise<Finding[]> {
    const file = await this.file(c);
    const folder = await folderFindings(path.dirname(file));
    if (!(await fileExists(file))) return folder;
    const writable = await may(file, constants.R_OK | constants.W_OK);
    const what = `${file} ${writable ? 'can' : 'cannot'} be read and written`;
    const finding: Finding = writable
      ? { level: 'ok', what }
      : { level: 'fail', what, fix: `chmod u+rw ${shellWord(file)}`, class: 'config' };
    return [finding, ...folder];
  }

  async identity(c: Context): Promise<string> {
    const file = await this.file(c);
    return (await fileExists(file)) ? this.look(c, identityOf) : identityOfPath(file);
  }

  async plan(streams: readonly SinkStream[], c: Context): Promise<TablePlan[]> {
    const exists = await fileExists(await this.file(c));
    const planAll = async (database?: Database) => {
      const plans: TablePlan[] = [];
      for (const stream of streams) {
        const plan = planTable(stream, this.config.schema, database);
        plans.push(await onTable(stream.stream, plan));
      }
      return plans;
    };
    const plans = exists
      ? await this.look(c, (database) => database.lock.run(() => planAll(database)))
      : await planAll();
    requireOneStreamEach(plans);
    return plans;
  }

  async attach(job: SinkJob, c: Context): Promise<SinkRecord | undefined> {
    const { database } = await this.hold(c);
    const { control } = database;
    return this.change(database, 'attach', async () => {
      await records.createRecords(control);
      await records.storeIdentity(control, identityOfPath(database.path));
      const record = await records.readRecord(control, job.id);
      if (record === undefined) await records.insertJob(control, job);
      else if (record.fence < job.fence) await records.raiseFence(control, job);
      return record;
    });
  }

  async adopt(job: SinkJob, record: Pick<SinkRecord, 'streams' | 'splits'>, c: Context): Promise<void> {
    const { database } = await this.hold(c);
    await this.change(database, 'adopt', async () => {
      await records.requireFence(database.control, job.id, job.fence);
      await records.adoptRecord(database.control, job.id, record);
    });
  }

  async applySchema(job: SinkJob, table: TablePlan, generation: number, c: Context): Promise<void> {
    const { database } = await this.hold(c);
    const { control } = database;
    const columns = wantedColumns(table.schema);
    const maker = { job: job.id, stream: table.stream, generation };
    const apply = async () => {
      const target = targetOf(table);
      const shape = await readShape(control, target);
      const made = shape && makerOf(shape);
      const mine = made?.job === job.id && made.stream === table.stream;
      if (shape !== undefined && target.save === 'fail' && !mine) {
        throw duckdbErrors.tableExists(`${plainName(target)} is there, and was not made by ${job.id}`);
      }
      if (shape === undefined && target.save === 'require') {
        throw duckdbErrors.tableMissing(`${plainName(target)} is not there`);
      }
      if (isGenerational(table.write)) {
        await dropOtherStagings(control, job, table, generation);
        await ensureTable(control, stagingTable(job, table, generation), columns, maker);
        return;
      }
      const passed = target.save === 'recreate' && !(mine && made.generation === generation);
      if (shape !== undefined && passed) {
        await control.run(`DROP TABLE ${qualified(target)}`, `make ${plainName(target)} anew`);
      }
      if (shape === undefined || passed) await records.forgetFills(control, table.target);
      await ensureTable(control, target, columns, maker);
    };
    await onTable(table.stream, fillColumns(database, job, table));
    await this.change(database, 'schema', async () => {
      await records.requireFence(control, job.id, job.fence);
      await onTable(table.stream, apply());
    });
  }

  async publish(
    job: SinkJob,
    table: TablePlan,
    generation: number,
    options: PublishOptions,
    c: Context,
  ): Promise<void> {
    const { database } = await this.hold(c);
    const { control } = database;
    await this.change(database, 'publish', async () => {
      await records.requireFence(control, job.id, job.fence);
      if (isGenerational(table.write)) await publishGeneration(control, job, table, generation, options);
      else await records.writeStream(control, job.id, table.stream, generation, true);
    });
  }

  async open(lane: LaneRequest, c: Context): Promise<DuckdbWriter> {
    const lease = await openDatabase(this.config, true, c);
    try {
      return await openWriter(lane, lease, c);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  reads(tables: readonly TablePlan[]): TargetSource {
    return {
      source: new DuckdbSource(this.config),
      streams: tables.map((table) => plainName(targetOf(table))),
    };
  }

  async clean(job: string, certain: boolean, c: Context): Promise<string[]> {
    if (!(await fileExists(await this.file(c)))) return [];
    if (!certain) return this.look(c, ({ lock, control }) => lock.run(() => cleaning(control, job)));
    const { database } = await this.hold(c);
    return this.change(database, 'clean', async () => {
      const statements = await cleaning(database.control, job);
      for (const sql of statements) await database.control.run(sql, `clean up after ${job}`);
      return statements;
    });
  }

  async close(): Promise<void> {
    const held = await this.lease?.catch(() => undefined);
    this.lease = undefined;
    await held?.release();
  }

  private async file(c: Context): Promise<string> {
    const file = await databasePath(this.config, c);
    if (file === MEMORY) throw duckdbErrors.memoryDatabase('a sink needs a file');
    return file;
  }

  private async hold(c: Context): Promise<DatabaseLease> {
    this.lease ??= openDatabase(this.config, true, c);
    try {
      return await this.lease;
    } catch (error) {
      this.lease = undefined;
      throw error;
    }
  }

  /** Opens the database for one verb that changes nothing, or shares it. */
  private async look<T>(c: Context, task: (database: Database) => Promise<T>): Promise<T> {
    const lease = await openDatabase(this.config, false, c).catch((error) => {
      // A log that only a writer can fold in; this sink is about to write anyway.
      if (error.code === duckdbErrors.needsRecovery.entry.code) return openDatabase(this.config, true, c);
      throw error;
    });
    try {
      return await task(lease.database);
    } finally {
      await lease.release();
    }
  }

  /** One transaction under the lock, with a failure point on either side of its commit. */
  private change<T>({ lock, control }: Database, verb: string, task: () => Promise<T>): Promise<T> {
    return lock.run(async () => {
      const result = await control.transaction(task, () => failpoint(`duckdb.${verb}.before`));
      failpoint(`duckdb.${verb}.after`);
      return result;
    });
  }
}

/** Two streams in one table would take each other's rows for their own. */
function requireOneStreamEach(plans: readonly TablePlan[]): void {
  const taken = new Map<string, TablePlan>();
  for (const plan of plans) {
    const name = folded(plan.target);
    const other = taken.get(name);
    if (other !== undefined && (other.write !== 'append' || plan.write !== 'append')) {
      throw duckdbErrors.nameRefused(
        `${other.stream} and ${plan.stream} would both be written to ${plan.target}`,
        {
          details: { stream: plan.stream },
        },
      );
    }
    taken.set(name, plan);
  }
}
