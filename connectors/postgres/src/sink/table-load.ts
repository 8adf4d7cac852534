/** How the rows of one table get there: straight into it, or through a temporary table of the writer. */
import { type Batch, type Clear, getBit, isKeyed, OPS, type TablePlan } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { encodeInt2 } from '../copy/encode-fixed.js';
import { encodeBytes } from '../copy/encode-varlen.js';
import { type EncodedColumn, FrameEncoder, type Frames } from '../copy/frame-encoder.js';
import { unplacedRows } from '../copy/unplaced.js';
import { pgErrors } from '../errors.js';
import { ident, qualified, type TableName } from '../quote.js';
import { fit } from '../types/fit.js';
import type { Wire } from '../types/wire.js';
import { applyHistory } from './history-sql.js';
import { moveRow } from './move-sql.js';
import {
  ABSENT_COLUMN,
  absentColumn,
  leavesColumns,
  OP_COLUMN,
  ORDER_COLUMN,
  ORDER_SEQUENCE,
  opColumn,
} from './op-column.js';
import { detailOf, type PlannedColumn, type TableDetail } from './table-detail.js';
import { copyInto } from './table-sql.js';
import { TextRows } from './text-rows.js';
import { applyRows, insertRows, PENDING, type Pending, type Upsert } from './upsert-sql.js';

/** One way to copy rows: without the op where all rows are the same, else with it. */
export interface CopyForm {
  readonly sql: string;
  readonly withOp: boolean;
}

export class TableLoad {
  private readonly detail: TableDetail;
  private readonly names: readonly string[];
  private readonly encoded: readonly EncodedColumn[];
  private readonly encoder: FrameEncoder;
  private readonly textRows: TextRows;
  private readonly opEncoder: FrameEncoder;
  private readonly plain: CopyForm;
  private readonly withOp: CopyForm;
  /** Whether rows go through the temporary table. */
  readonly buffered: boolean;
  private pending: Pending = 'nothing';

  constructor(
    readonly table: TablePlan,
    /** Where rows are to end up: the target, or the staging table of a generation. */
    private readonly destination: TableName,
    /** The writer's temporary table, by a name that is its own. */
    private readonly buffer: string,
    /** Whether rows by a key are new ones, all of them: see `first-copy.ts`. */
    readonly first: boolean,
  ) {
    this.detail = detailOf(table);
    const { columns } = this.detail;
    this.names = columns.map((column) => column.name);
    this.buffered = (isKeyed(table.write) && !first) || columns.some((column) => column.viaText);
    const into = this.buffered ? `pg_temp.${ident(buffer)}` : qualified(destination);
    this.plain = { sql: copyInto(into, this.names), withOp: false };
    this.withOp = { sql: copyInto(into, [...this.names, OP_COLUMN, ABSENT_COLUMN]), withOp: true };
    this.encoded = columns.map((column, i) => encodedColumn(column, table, i));
    this.encoder = new FrameEncoder(this.encoded);
    this.opEncoder = new FrameEncoder([
      ...this.encoded,
      { name: OP_COLUMN, encoder: encodeInt2 },
      { name: ABSENT_COLUMN, encoder: encodeBytes },
    ]);
    this.textRows = new TextRows(`${buffer}_text`, columns, into, this.buffered, table.target);
  }

  /** The table that rows end up in, as the server's messages name it. */
  get target(): string {
    return `${this.destination.schema}.${this.destination.table}`;
  }

  /** Whether rows wait in the temporary table. */
  get isWaiting(): boolean {
    return this.pending !== 'nothing';
  }

  /** Whether the order of changes may count, also among tables. */
  get isOrdered(): boolean {
    return this.detail.ordered;
  }

  /** How the rows that wait are written by their key; undefined where they are not. */
  get upsert(): Upsert | undefined {
    const { destination, detail, pending, table } = this;
    if (!isKeyed(table.write) || table.write === 'history' || this.first) return undefined;
    return { from: `pg_temp.${ident(this.buffer)}`, destination, detail, pending };
  }

  /** Once a connection, outside of transactions, behind {@link prepareOrder}. */
  async prepare(session: Session): Promise<void> {
    if (!this.buffered) return;
    const columns = this.detail.columns.map(
      ({ name, type, viaText }) => `${ident(name)} ${viaText ? 'text' : type}`,
    );
    const name = ident(this.buffer);
    await session.query(
      `CREATE TEMPORARY TABLE ${name} (${[
        ...columns,
        `${OP_COLUMN} smallint NOT NULL DEFAULT 0`,
        `${ABSENT_COLUMN} bytea`,
        `${ORDER_COLUMN} bigint NOT NULL DEFAULT nextval('pg_temp.${ORDER_SEQUENCE}')`,
      ].join(', ')}) ON COMMIT DELETE ROWS`,
      undefined,
      `preparing to write ${this.table.target}`,
    );
  }

  /**
   * A batch's rows by the way in which they are copied. Those that have to go as text come last; where their order
   * among the others counts, the whole batch goes that way. Throws when an op cannot be written.
   */
  parts(batch: Batch): { readonly copied: Batch | undefined; readonly texts: Batch | undefined } {
    this.checkShape(batch);
    this.checkOps(batch);
    if (this.passes(batch)) return { copied: batch, texts: undefined };
    if (!isKeyed(this.table.write)) refuseAbsent(batch);
    const unplaced = unplacedRows(this.encoded, batch.columns());
    if (unplaced === undefined) return { copied: batch, texts: undefined };
    if (isKeyed(this.table.write)) return { copied: undefined, texts: batch };
    return { copied: batch.select(otherRows(unplaced, batch.rowCount)), texts: batch.select(unplaced) };
  }

  /** Writes rows as text, inside the epoch's transaction, while no COPY is open. */
  async writeTexts(session: Session, batch: Batch): Promise<void> {
    this.waits(batch);
    await this.textRows.write(session, batch);
  }

  /** Whether a batch has nothing but new rows. */
  static isPlain(batch: Batch): boolean {
    return pendingOf(batch) === 'rows';
  }

  /** How a batch is copied. */
  form(batch: Batch): CopyForm {
    return isKeyed(this.table.write) && pendingOf(batch) !== 'rows' ? this.withOp : this.plain;
  }

  /** The rows of a batch as CopyData messages. */
  *frames(batch: Batch, form: CopyForm): Generator<Frames> {
    this.waits(batch);
    if (form.withOp) {
      const columns = [...batch.columns(), opColumn(batch), absentColumn(batch)];
      yield* this.opEncoder.encode(columns, batch.rowCount);
    } else if (this.passes(batch)) {
      yield { bytes: batch.encoded!.bytes };
    } else {
      yield* this.encoder.encode(batch.columns(), batch.rowCount);
    }
  }

  /** Moves what waits in the temporary table to where it belongs; inside the epoch's transaction. */
  async settle(session: Session): Promise<void> {
    if (!this.isWaiting) return;
    const from = `pg_temp.${ident(this.buffer)}`;
    const doing = `writing ${this.table.target}`;
    const { destination, detail, pending, table, upsert } = this;
    if (upsert !== undefined) {
      await applyRows(session, upsert, doing);
    } else if (table.write === 'history') {
      await applyHistory(session, { from, destination, detail, pending, key: table.schema.key }, doing);
    } else {
      await session.query(insertRows(from, destination, detail), undefined, doing);
    }
    this.pending = 'nothing';
  }

  /** Moves the row of a batch to another key, once nothing waits; inside the epoch's transaction. */
  async moveRow(session: Session, batch: Batch): Promise<void> {
    this.checkShape(batch);
    const doing = `writing ${this.table.target}`;
    for (const sql of moveRow(this.destination, this.detail, batch))
      await session.query(sql, undefined, doing);
  }

  /** What was settled does not wait any more, and further rows will come. */
  async empty(session: Session): Promise<void> {
    if (!this.buffered) return;
    await session.query(`TRUNCATE pg_temp.${ident(this.buffer)}`, undefined, `writing ${this.table.target}`);
  }

  /** Deletes everything that was written before, or marks it, once nothing waits; inside the epoch's transaction. */
  async clear(session: Session, marks: Clear['marks']): Promise<void> {
    const doing = `clearing ${this.table.target}`;
    if (marks !== undefined) {
      const column = ident(marks.column);
      const at = `timestamptz 'epoch' + ${marks.at} * interval '1 microsecond'`;
      const table = qualified(this.destination);
      const { since } = marks;
      const none =
        since === undefined
          ? ''
          : `DELETE FROM ${table} WHERE ${column} IS NULL AND ${ident(since)} >= ${at}; `;
      await session.query(
        `${none}UPDATE ${table} SET ${column} = ${at} WHERE ${column} IS NULL`,
        undefined,
        doing,
      );
      return;
    }
    if (this.buffered) await session.query(`DELETE FROM pg_temp.${ident(this.buffer)}`, undefined, doing);
    await session.query(`DELETE FROM ${qualified(this.destination)}`, undefined, doing);
    this.pending = 'nothing';
  }

  /** The transaction has ended. */
  forget(): void {
    this.pending = 'nothing';
  }

  /** Whether the batch's own bytes are sent as they are. */
  private passes(batch: Batch): boolean {
    if (batch.encoded === undefined || batch.encoded.format !== this.table.encoding) return false;
    return this.form(batch) === this.plain;
  }

  private waits(batch: Batch): void {
    if (!this.buffered) return;
    const now = isKeyed(this.table.write) ? pendingOf(batch) : 'rows';
    if (PENDING.indexOf(now) > PENDING.indexOf(this.pending)) this.pending = now;
  }

  /** Encoders belong to the planned columns: rows of another shape need another plan. */
  private checkShape({ schema }: Batch): void {
    const { fields } = this.table.schema;
    if (schema === this.table.schema) return;
    const same =
      schema.fields.length === fields.length && fields.every((f, i) => f.name === schema.fields[i]!.name);
    if (!same)
      throw pgErrors.schemaDrift(`${this.table.stream}: rows came with other columns than were planned`);
  }

  private checkOps(batch: Batch): void {
    const { write } = this.table;
    const allowed = isKeyed(write) ? ['insert', 'update', 'upsert', 'delete'] : ['insert', 'upsert'];
    const ops = typeof batch.op === 'string' ? [batch.op] : [...new Set(batch.op)].map((code) => OPS[code]!);
    const wrong = ops.find((op) => !allowed.includes(op));
    if (wrong !== undefined) {
      throw pgErrors.unsupported(
        `${this.table.target}: write mode ${write} has no place for rows that ${wrong}`,
      );
    }
  }
}

/** Makes what the numbers of rows come from, once a connection. */
export async function prepareOrder(session: Session): Promise<void> {
  await session.query(`CREATE TEMPORARY SEQUENCE ${ORDER_SEQUENCE} CACHE 1000`);
}

/** What the rows of a batch ask of those who write them by key. */
function pendingOf(batch: Batch): Exclude<Pending, 'nothing'> {
  if (leavesColumns(batch)) return 'partials';
  return typeof batch.op !== 'string' || batch.op === 'delete' ? 'changes' : 'rows';
}

/** The rows that are not among `some`, which are in order. */
function otherRows(some: Uint32Array, rowCount: number): Uint32Array {
  const others = new Uint32Array(rowCount - some.length);
  let next = 0;
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    if (some[next] === row) next++;
    else others[at++] = row;
  }
  return others;
}

function encodedColumn(
  { name, type, wire, viaText }: PlannedColumn,
  table: TablePlan,
  i: number,
): EncodedColumn {
  const shown: Wire = viaText ? { kind: 'text' } : wire;
  const found = fit(name, table.schema.fields[i]!.type, shown);
  if (found === undefined)
    throw pgErrors.columnMismatch(
      `${table.target}: column ${name} is ${type}, which does not take the stream's type`,
    );
  return { name, encoder: found.encoder, ...(!viaText && { wire }) };
}

/** A value that the source did not send is not null, and these write modes cannot leave a column as it is. */
function refuseAbsent(batch: Batch): void {
  for (const [i, { absent }] of batch.columns().entries()) {
    if (!absent?.some((bits) => bits !== 0)) continue;
    for (let row = 0; row < batch.rowCount; row++) {
      // Of a deleted row only the key matters.
      if (!getBit(absent, row) || batch.opAt(row) === 'delete') continue;
      const { name } = batch.schema.fields[i]!;
      throw pgErrors.unsupported(`column ${name}: rows leave it unchanged, which this sink cannot write`);
    }
  }
}
