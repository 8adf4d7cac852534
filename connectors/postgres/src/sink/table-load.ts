/** How the rows of one table get there: straight into it, or through a temporary table of the writer. */
import { type Batch, type Column, OPS, type TablePlan } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import type { ColumnEncoder } from '../copy/column-encoder.js';
import { encodeInt2 } from '../copy/encode-fixed.js';
import { type EncodedColumn, FrameEncoder } from '../copy/frame-encoder.js';
import { pgErrors } from '../errors.js';
import { ident, qualified, type TableName } from '../quote.js';
import { fit } from '../types/fit.js';
import type { Wire } from '../types/wire.js';
import { detailOf, type PlannedColumn, type TableDetail } from './table-detail.js';
import { copyInto } from './table-sql.js';
import { applyRows, insertRows } from './upsert-sql.js';

export const OP_COLUMN = '_sluice_op';
export const ORDER_COLUMN = '_sluice_n';
const DELETE = OPS.indexOf('delete');

/** One way to copy rows: without the op where all rows are the same, else with it. */
export interface CopyForm {
  readonly sql: string;
  readonly withOp: boolean;
}

export class TableLoad {
  private readonly detail: TableDetail;
  private readonly names: readonly string[];
  private readonly encoder: FrameEncoder;
  private readonly opEncoder: FrameEncoder;
  private readonly plain: CopyForm;
  private readonly withOp: CopyForm;
  /** Whether rows go through the temporary table. */
  readonly buffered: boolean;
  /** Whether rows wait there; some of them to be deleted. */
  private pending: 'nothing' | 'rows' | 'deletes' = 'nothing';

  constructor(
    readonly table: TablePlan,
    /** Where rows are to end up: the target, or the staging table of a generation. */
    private readonly destination: TableName,
    /** The writer's temporary table, by a name that is its own. */
    private readonly buffer: string,
  ) {
    this.detail = detailOf(table);
    const { columns } = this.detail;
    this.names = columns.map((column) => column.name);
    this.buffered = table.write === 'upsert' || columns.some((column) => column.viaText);
    const into = this.buffered ? `pg_temp.${ident(buffer)}` : qualified(destination);
    this.plain = { sql: copyInto(into, this.names), withOp: false };
    this.withOp = { sql: copyInto(into, [...this.names, OP_COLUMN]), withOp: true };
    const encoded = columns.map((column, i) => encodedColumn(column, table, i));
    this.encoder = new FrameEncoder(encoded);
    this.opEncoder = new FrameEncoder([...encoded, { name: OP_COLUMN, encoder: encodeInt2 }]);
  }

  /** Once a connection, outside of transactions. */
  async prepare(session: Session): Promise<void> {
    if (!this.buffered) return;
    const select = this.detail.columns.map(({ name, viaText }) =>
      viaText ? `${ident(name)}::text` : ident(name),
    );
    const name = ident(this.buffer);
    await session.query(
      `CREATE TEMPORARY TABLE ${name} ON COMMIT DELETE ROWS AS
         SELECT ${select.join(', ')} FROM ${qualified(this.destination)} WITH NO DATA;
       ALTER TABLE pg_temp.${name} ADD COLUMN ${OP_COLUMN} smallint NOT NULL DEFAULT 0,
         ADD COLUMN ${ORDER_COLUMN} bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000)`,
      undefined,
      `preparing to write ${this.table.target}`,
    );
  }

  /** How a batch is copied. Throws when an op cannot be written. */
  form(batch: Batch): CopyForm {
    this.checkOps(batch);
    const mixed = typeof batch.op !== 'string' || batch.op === 'delete';
    return mixed && this.table.write === 'upsert' ? this.withOp : this.plain;
  }

  /** The rows of a batch as CopyData messages. */
  *frames(batch: Batch, form: CopyForm): Generator<Uint8Array> {
    if (this.buffered) this.pending = form.withOp || this.pending === 'deletes' ? 'deletes' : 'rows';
    if (form.withOp) {
      yield* this.opEncoder.encode([...batch.columns(), opColumn(batch)], batch.rowCount);
    } else if (batch.encoded !== undefined && batch.encoded.format === this.table.encoding) {
      yield batch.encoded.bytes;
    } else {
      yield* this.encoder.encode(batch.columns(), batch.rowCount);
    }
  }

  /** Moves what waits in the temporary table to where it belongs; inside the epoch's transaction. */
  async settle(session: Session): Promise<void> {
    if (this.pending === 'nothing') return;
    const from = `pg_temp.${ident(this.buffer)}`;
    const doing = `writing ${this.table.target}`;
    if (this.table.write === 'upsert') {
      await applyRows(
        session,
        { from, destination: this.destination, detail: this.detail, deletes: this.pending === 'deletes' },
        doing,
      );
    } else {
      await session.query(insertRows(from, this.destination, this.detail), undefined, doing);
    }
    this.pending = 'nothing';
  }

  /** Deletes everything that was written before; inside the epoch's transaction. */
  async clear(session: Session): Promise<void> {
    const doing = `clearing ${this.table.target}`;
    if (this.buffered) await session.query(`DELETE FROM pg_temp.${ident(this.buffer)}`, undefined, doing);
    await session.query(`DELETE FROM ${qualified(this.destination)}`, undefined, doing);
    this.pending = 'nothing';
  }

  /** The transaction has ended. */
  forget(): void {
    this.pending = 'nothing';
  }

  private checkOps(batch: Batch): void {
    const { write } = this.table;
    const allowed = write === 'upsert' ? ['insert', 'update', 'upsert', 'delete'] : ['insert', 'upsert'];
    const ops = typeof batch.op === 'string' ? [batch.op] : [...new Set(batch.op)].map((code) => OPS[code]!);
    const wrong = ops.find((op) => !allowed.includes(op));
    if (wrong !== undefined) {
      throw pgErrors.unsupported(
        `${this.table.target}: write mode ${write} has no place for rows that ${wrong}`,
      );
    }
  }
}

/** 0 for rows to write, 1 for rows to delete. */
function opColumn(batch: Batch): Column {
  const values = new Int16Array(batch.rowCount);
  if (typeof batch.op === 'string') values.fill(batch.op === 'delete' ? 1 : 0);
  else for (let i = 0; i < values.length; i++) values[i] = batch.op[i] === DELETE ? 1 : 0;
  return { length: values.length, data: { layout: 'fixed', values } };
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
  return { name, encoder: refusingAbsent(name, found.encoder) };
}

/** A value that the source did not send is not null, and these write modes cannot leave a column as it is. */
function refusingAbsent(name: string, encoder: ColumnEncoder): ColumnEncoder {
  return {
    ...encoder,
    prepare(column) {
      if (column.absent?.some((bits) => bits !== 0)) {
        throw pgErrors.unsupported(`column ${name}: rows leave it unchanged, which this sink cannot write`);
      }
      return encoder.prepare?.(column) ?? column;
    },
  };
}
