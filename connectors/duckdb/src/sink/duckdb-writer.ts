/**
 * One lane's writer. Where all its tables are appended to, an epoch is one open transaction into which rows are
 * inserted as they come; where one is upserted, rows are staged in temporary tables and applied in a transaction
 * of the commit. See docs/design/duckdb-commit.md.
 */
import {
  type AtomicWriter,
  type Batch,
  type Clear,
  type Context,
  type Epoch,
  failpoint,
  isKeyed,
  type LaneRequest,
  type TablePlan,
} from '@sluice/sdk';
import type { DatabaseLease } from '../database/database.js';
import type { Session } from '../database/session.js';
import { duckdbErrors } from '../errors.js';
import { qualified } from '../tables/identifiers.js';
import { onTable } from '../tables/table-error.js';
import { writtenTable } from '../tables/target.js';
import { AppendTable } from './append-table.js';
import { clearSql } from './clear.js';
import { Loader } from './loader.js';
import { recordEpoch, requireFence } from './records.js';
import { UpsertTable } from './upsert-table.js';

/** Rows of some 16 MB fill a row group of DuckDB (122,880 rows) when they have the usual width. */
const ENOUGH_BYTES = 16 << 20;
/** With little memory less waits; below this the cost of a statement shows. */
const LEAST_BYTES = 1 << 20;

export async function openWriter(lane: LaneRequest, lease: DatabaseLease, c: Context): Promise<DuckdbWriter> {
  const session = await lease.database.connect();
  return new DuckdbWriter(lane, lease, session, c);
}

export class DuckdbWriter implements AtomicWriter {
  readonly protocol = 'atomic';
  private readonly tables: ReadonlyMap<string, { plan: TablePlan; table: AppendTable | UpsertTable }>;
  private readonly loader: Loader;
  /** Whether rows are staged until the commit. */
  private readonly staged: boolean;
  private inTransaction = false;
  private readonly stop = () => this.session.interrupt();

  constructor(
    private readonly lane: LaneRequest,
    private readonly lease: DatabaseLease,
    private readonly session: Session,
    private readonly c: Context,
  ) {
    const { database } = lease;
    this.staged = lane.tables.some((plan) => isKeyed(plan.write));
    const enough = Math.min(ENOUGH_BYTES, Math.max(LEAST_BYTES, c.memory / 16));
    this.loader = new Loader(database, session, enough, async () => {
      if (!this.staged) await this.begin();
    });
    this.tables = new Map(
      lane.tables.map((plan, i) => {
        const name = writtenTable(lane.job, plan, lane.generation);
        const table = isKeyed(plan.write)
          ? new UpsertTable(database, session, this.loader, name, plan, i)
          : new AppendTable(database, session, this.loader, name, plan.stream, this.staged ? i : undefined);
        return [plan.stream, { plan, table }] as const;
      }),
    );
    c.signal.addEventListener('abort', this.stop);
  }

  async write(message: Batch | Clear): Promise<void> {
    this.c.signal.throwIfAborted();
    const { plan, table } = this.tableOf(message.stream);
    await onTable(plan.stream, this.take(message, plan, table));
  }

  private async take(
    message: Batch | Clear,
    plan: TablePlan,
    table: AppendTable | UpsertTable,
  ): Promise<void> {
    if (message.kind === 'batch') {
      if (message.rowCount > 0) await table.write(message);
      return;
    }
    if (table instanceof UpsertTable) {
      table.clear(message, plan.schema);
      return;
    }
    if (plan.write === 'append') {
      throw duckdbErrors.cannotClear(`${plan.target}: the source takes rows back`, {
        details: { stream: plan.stream },
      });
    }
    if (!this.staged) {
      await this.loader.drain();
      await this.begin();
    }
    await table.clear(
      clearSql(qualified(writtenTable(this.lane.job, plan, this.lane.generation)), message, plan.schema),
    );
  }

  async commit(epoch: Epoch): Promise<void> {
    const { database } = this.lease;
    const { job } = this.lane;
    try {
      await this.loader.drain();
      await database.lock.run(async () => {
        await requireFence(database.control, job.id, epoch.fence);
        await this.begin();
        if (this.staged) await this.applyAll();
        if (!(await recordEpoch(this.session, job.id, epoch))) {
          await this.rollback();
          return;
        }
        failpoint('duckdb.commit.before');
        await this.session.run('COMMIT', `commit epoch ${epoch.number} of ${epoch.split.id}`);
        failpoint('duckdb.commit.after');
        this.inTransaction = false;
      });
    } catch (error) {
      await this.abort();
      throw error;
    }
    await this.forget();
  }

  async check(): Promise<void> {
    await this.loader.drain();
    if (!this.staged) return;
    await this.begin();
    await this.applyAll();
  }

  async abort(): Promise<void> {
    await this.loader.discard();
    await this.rollback();
    await this.forget();
  }

  async close(): Promise<void> {
    this.c.signal.removeEventListener('abort', this.stop);
    try {
      await this.abort();
    } finally {
      this.session.close();
      await this.lease.release();
    }
  }

  private async applyAll(): Promise<void> {
    for (const { plan, table } of this.tables.values()) await onTable(plan.stream, table.apply());
  }

  private tableOf(stream: string) {
    const found = this.tables.get(stream);
    if (found === undefined)
      throw duckdbErrors.drifted(`the lane of ${this.lane.split.id} has no stream ${stream}`);
    return found;
  }

  private async begin(): Promise<void> {
    if (this.inTransaction) return;
    await this.session.run('BEGIN', 'begin an epoch');
    this.inTransaction = true;
  }

  private async rollback(): Promise<void> {
    if (!this.inTransaction) return;
    await this.session.rollback();
    this.inTransaction = false;
  }

  private async forget(): Promise<void> {
    for (const { table } of this.tables.values()) await table.forget();
  }
}
