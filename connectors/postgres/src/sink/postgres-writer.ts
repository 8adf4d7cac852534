/**
 * Writes what one lane reads. An epoch is one transaction: its rows are copied as they come, and `commit` adds
 * their place and ends it. See docs/design/postgres-commit.md for what may go wrong in between.
 */
import {
  type AtomicWriter,
  type Batch,
  type Clear,
  type Epoch,
  failpoint,
  isGenerational,
  isKeyed,
  type LaneRequest,
  toSluiceError,
} from '@sluice/sdk';
import type { CopyIn } from '../connection/copy-in.js';
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { onTable, tableError } from '../connection/table-error.js';
import { pgErrors } from '../errors.js';
import { changeParts } from './change-parts.js';
import type { FirstCopies } from './first-copy.js';
import { applyInOrder, isOrderError } from './in-order.js';
import { isNewEpoch, storeEpoch } from './record.js';
import type { RecordTables } from './record-tables.js';
import { detailOf, stagingName } from './table-detail.js';
import { type CopyForm, prepareOrder, TableLoad } from './table-load.js';

const FOREIGN_KEY_VIOLATION = '23503';

interface OpenCopy {
  readonly load: TableLoad;
  readonly form: CopyForm;
  readonly copy: CopyIn;
  sent: number;
}

export class PostgresWriter implements AtomicWriter {
  readonly protocol = 'atomic';
  private open: OpenCopy | undefined;
  private inTransaction = false;

  private constructor(
    private readonly session: Session,
    private readonly tables: RecordTables,
    private readonly firsts: FirstCopies,
    private readonly lane: LaneRequest,
    private readonly loads: ReadonlyMap<string, TableLoad>,
  ) {}

  /** Takes over the session. */
  static async open(
    session: Session,
    tables: RecordTables,
    firsts: FirstCopies,
    lane: LaneRequest,
  ): Promise<PostgresWriter> {
    const loads = new Map<string, TableLoad>();
    for (const table of lane.tables) {
      const destination = isGenerational(table.write)
        ? stagingName(lane.job.id, table, lane.generation)
        : detailOf(table);
      const first = await firsts.include(session, lane, table);
      const load = new TableLoad(table, destination, `_sluice_in_${loads.size}`, first);
      loads.set(table.stream, load);
    }
    const buffered = [...loads.values()].filter((load) => load.buffered);
    if (buffered.length > 0) await prepareOrder(session);
    for (const load of buffered) await load.prepare(session);
    return new PostgresWriter(session, tables, firsts, lane, loads);
  }

  async write(message: Batch | Clear): Promise<void> {
    const load = this.loads.get(message.stream);
    if (load === undefined)
      throw new TypeError(`the lane of ${this.lane.split.id} has no table for ${message.stream}`);
    await onTable(message.stream, this.take(load, message));
  }

  private async take(load: TableLoad, message: Batch | Clear): Promise<void> {
    if (message.kind === 'clear') {
      await this.clear(load, message);
      return;
    }
    if (load.first && !TableLoad.isPlain(message)) {
      throw this.firsts.another(
        message.stream,
        `${load.table.target}: rows of a copy change or delete others`,
      );
    }
    if (load.first || !isKeyed(load.table.write)) {
      await this.writeRows(load, message);
      return;
    }
    for (const part of changeParts(message)) {
      if (part.kind === 'rows') await this.writeRows(load, part.batch);
      else await this.moveRow(load, part.batch);
    }
  }

  private async writeRows(load: TableLoad, batch: Batch): Promise<void> {
    const { copied, texts } = load.parts(batch);
    if (copied !== undefined && copied.rowCount > 0) await this.copyRows(load, copied);
    if (texts === undefined) return;
    await this.begin();
    await this.endCopy();
    await load.writeTexts(this.session, texts).catch((error: unknown) => {
      throw this.failed(load, error);
    });
  }

  async commit(epoch: Epoch): Promise<void> {
    try {
      await this.commitEpoch(epoch);
    } catch (error) {
      // The transaction may hold the fence, which the next run's attach would wait for.
      await this.abort();
      throw error;
    }
  }

  private async commitEpoch(epoch: Epoch): Promise<void> {
    const { session, tables, lane } = this;
    await this.begin();
    await this.settleRows();
    failpoint('postgres.commit.before-record');
    if (!(await isNewEpoch(session, tables, lane.job, epoch))) {
      await this.abort();
      return;
    }
    failpoint('postgres.commit.before');
    await session
      .commit(storeEpoch(tables, lane.job, epoch), `committing epoch ${epoch.number} of ${epoch.split.id}`)
      .catch((error: unknown) => {
        throw this.constraintError(error);
      });
    failpoint('postgres.commit.after');
    this.ended();
  }

  async check(): Promise<void> {
    await this.begin();
    await this.settleRows();
    await this.session.query('SET CONSTRAINTS ALL IMMEDIATE');
  }

  async abort(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    if (open !== undefined && this.session.usable) await open.copy.fail('the epoch was given up');
    if (this.inTransaction) await this.session.rollback();
    this.ended();
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private async moveRow(load: TableLoad, batch: Batch): Promise<void> {
    await this.begin();
    await this.settleEarly(load);
    await load.moveRow(this.session, batch);
  }

  private async copyRows(load: TableLoad, batch: Batch): Promise<void> {
    const open = await this.copyFor(load, load.form(batch));
    try {
      for (const { bytes, release } of load.frames(batch, open.form)) await open.copy.write(bytes, release);
    } catch (error) {
      throw this.failed(load, error);
    }
    open.sent += batch.rowCount;
  }

  private failed(load: TableLoad, error: unknown): unknown {
    return tableError(load.first ? this.firsts.failed(load.table, error) : error, load.table.stream);
  }

  /**
   * A constraint that the server checks at the commit, or among several tables, names its table. That of a foreign key is
   * the one that refers, also where a row goes that it refers to: whose fault it is cannot be told.
   */
  private constraintError(error: unknown): unknown {
    const { table } = toSluiceError(error).details;
    const load = [...this.loads.values()].find(({ target }) => target === table);
    if (load === undefined || hasState(error, FOREIGN_KEY_VIOLATION)) return error;
    return tableError(error, load.table.stream);
  }

  /** Everything that was copied is where it belongs; where constraints forbid that set by set, in the source's order. */
  private async settleRows(loads = [...this.loads.values()]): Promise<void> {
    await this.endCopy();
    const { session } = this;
    const waiting = loads.filter(({ isWaiting }) => isWaiting);
    const upserts = waiting.flatMap(({ upsert }) => upsert ?? []);
    if (upserts.length < waiting.length || !waiting.some(({ isOrdered }) => isOrdered)) {
      await this.settleEach(waiting);
      return;
    }
    await session.query('SAVEPOINT sluice_epoch');
    try {
      await this.settleEach(waiting);
      await session.query('RELEASE sluice_epoch');
    } catch (error) {
      if (!isOrderError(error)) throw error;
      await session.query('ROLLBACK TO sluice_epoch');
      const doing = `writing ${waiting.map(({ target }) => target).join(', ')} row by row`;
      await applyInOrder(session, upserts, doing).catch((refused: unknown) => {
        throw this.constraintError(refused);
      });
      for (const load of waiting) load.forget();
    }
  }

  /** What was written before to the table, and where their order counts to the others, is where it belongs. */
  private async settleEarly(load: TableLoad): Promise<void> {
    const loads = load.isOrdered ? [...this.loads.values()] : [load];
    const waiting = loads.filter(({ isWaiting }) => isWaiting);
    await this.settleRows(waiting);
    for (const settled of waiting) await settled.empty(this.session);
  }

  private async settleEach(waiting: readonly TableLoad[]): Promise<void> {
    for (const load of waiting) {
      await load.settle(this.session).catch((error: unknown) => {
        throw this.failed(load, error);
      });
    }
  }

  private async clear(load: TableLoad, { range, stream, marks }: Clear): Promise<void> {
    if (range !== undefined)
      throw pgErrors.unsupported(`${stream}: a part of a table cannot be cleared by this sink`);
    await this.begin();
    if (marks === undefined && !load.isOrdered) await this.endCopy();
    else await this.settleEarly(load);
    await load.clear(this.session, marks);
  }

  private async begin(): Promise<void> {
    if (this.inTransaction) return;
    await this.session.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
    this.inTransaction = true;
  }

  private async copyFor(load: TableLoad, form: CopyForm): Promise<OpenCopy> {
    if (this.open?.load === load && this.open.form === form) return this.open;
    await this.begin();
    await this.endCopy();
    const copy = await this.session.copyIn(form.sql, `writing ${load.table.target}`);
    this.open = { load, form, copy, sent: 0 };
    return this.open;
  }

  private async endCopy(): Promise<void> {
    const { open } = this;
    if (open === undefined) return;
    this.open = undefined;
    const taken = await open.copy.end().catch((error: unknown) => {
      throw this.failed(open.load, error);
    });
    if (taken !== open.sent) {
      throw pgErrors.protocol(
        `${open.load.table.target}: ${open.sent} rows were sent, the server took ${taken}`,
      );
    }
  }

  private ended(): void {
    this.inTransaction = false;
    for (const load of this.loads.values()) load.forget();
  }
}
