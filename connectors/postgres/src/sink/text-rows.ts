/**
 * Writes rows as text, which the server parses: for the few whose values have no binary form that we could make
 * (arrays of other shapes, intervals beyond 64 bits of nanoseconds, what another system calls a date).
 */
import { type Batch, isSluiceError } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { encodeInt2 } from '../copy/encode-fixed.js';
import { encodeNull } from '../copy/encode-null.js';
import { asText } from '../copy/encode-text.js';
import { encodeBytes, encodeText } from '../copy/encode-varlen.js';
import { FrameEncoder } from '../copy/frame-encoder.js';
import { pgErrors } from '../errors.js';
import { ident } from '../quote.js';
import { ABSENT_COLUMN, absentColumn, OP_COLUMN, ORDER_COLUMN, opColumn } from './op-column.js';
import type { PlannedColumn } from './table-detail.js';
import { columnNames, copyInto } from './table-sql.js';

export class TextRows {
  private encoder: FrameEncoder | undefined;

  constructor(
    /** The writer's temporary table for such rows. */
    private readonly buffer: string,
    private readonly columns: readonly PlannedColumn[],
    /** Where the rows go, as SQL names it, and whether that table has columns for the op and what rows leave out. */
    private readonly destination: string,
    private readonly withOp: boolean,
    /** The target's name, for errors. */
    private readonly target: string,
  ) {}

  /** Inside the epoch's transaction, while no COPY is open. */
  async write(session: Session, batch: Batch): Promise<void> {
    const table = `pg_temp.${ident(this.buffer)}`;
    const names = this.columns.map((column) => column.name);
    await session.query(
      `CREATE TEMPORARY TABLE IF NOT EXISTS ${ident(this.buffer)} (${names.map((name) => `${ident(name)} text`).join(', ')},
         ${OP_COLUMN} smallint, ${ABSENT_COLUMN} bytea, ${ORDER_COLUMN} bigint GENERATED ALWAYS AS IDENTITY) ON COMMIT DELETE ROWS`,
    );
    const copy = await session.copyIn(
      copyInto(table, [...names, OP_COLUMN, ABSENT_COLUMN]),
      `writing ${this.target} as text`,
    );
    this.encoder ??= this.makeEncoder(batch);
    const columns = [...batch.columns(), opColumn(batch), absentColumn(batch)];
    for (const { bytes, release } of this.encoder.encode(columns, batch.rowCount))
      await copy.write(bytes, release);
    await copy.end();
    await this.move(session, table, names);
    await session.query(`DELETE FROM ${table}`);
  }

  private makeEncoder({ schema }: Batch): FrameEncoder {
    const texts = schema.fields.map(({ name, type }) => {
      const textual =
        type.kind === 'string' || type.kind === 'enum' || type.kind === 'json' || type.kind === 'native';
      if (type.kind === 'null') return { name, encoder: encodeNull };
      return { name, encoder: textual ? encodeText : asText(type, encodeText, 'postgres') };
    });
    return new FrameEncoder([
      ...texts,
      { name: OP_COLUMN, encoder: encodeInt2 },
      { name: ABSENT_COLUMN, encoder: encodeBytes },
    ]);
  }

  private async move(session: Session, table: string, names: readonly string[]): Promise<void> {
    const into = this.withOp ? [...names, OP_COLUMN, ABSENT_COLUMN] : names;
    const values = this.columns.map(({ name, type }) => `${ident(name)}::${type}`);
    if (this.withOp) values.push(OP_COLUMN, ABSENT_COLUMN);
    const sql = `INSERT INTO ${this.destination} (${columnNames(into)}) OVERRIDING SYSTEM VALUE
      SELECT ${values.join(', ')} FROM ${table} ORDER BY ${ORDER_COLUMN}`;
    try {
      await session.query(sql, undefined, `writing ${this.target}`);
    } catch (error) {
      const refused = isSluiceError(error) && error.code === pgErrors.valueRefused.entry.code;
      if (!refused) throw error;
      const { message, details } = error;
      throw pgErrors.specialRefused(message, { cause: error, details });
    }
  }
}
