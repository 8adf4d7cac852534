/**
 * A batch: rows of one stream that travel together, immutable, with three views that are made lazily and once:
 * columns, rows, and the system's own bytes.
 */
import { columnBuilder } from './column-build.js';
import { valueReader } from './column-read.js';
import type { SluiceError } from './errors.js';
import type { Json } from './json.js';
import { bitmapBytes, type Column, columnBytes } from './layout.js';
import { type Origins, selectOrigins } from './origin.js';
import type { StreamSchema } from './schema.js';
import { take } from './take.js';
import type { Row } from './values.js';

/**
 * What a row means. `insert` of a full copy is new to its generation; `upsert` replaces the row of its key;
 * `move` is an update that changes the key of the planned schema (the old one stands in `before`); a `delete` has the
 * key. What else the deleted row was stands in `before`, or without that in the row itself, UNCHANGED where it is not
 * known.
 */
export type Op = 'insert' | 'update' | 'delete' | 'upsert' | 'move';

/** Codes of {@link Op} in per-row op arrays. */
export const OPS: readonly Op[] = ['insert', 'update', 'delete', 'upsert', 'move'];

/** Rows as a system's own bytes. The format's name fixes their meaning: see the connector that makes it. */
export interface Encoded {
  /** `postgres-copy-binary-frames`, … Two connectors that name the same format agree on every byte. */
  readonly format: string;
  /** Whole rows only. */
  readonly bytes: Uint8Array;
}

/** Decodes columns of a batch on demand. */
export interface ColumnDecoder {
  column(index: number): Column;
}

/** A row that its reader cannot make sense of. */
export interface RejectedRow {
  /** How many rows of the batch stand before it. */
  readonly before: number;
  /** Of class `data`, with the place in the system among its details: file, line, offset, … */
  readonly error: SluiceError;
  /** What there is of it: its text as far as that is short, or a hash and a length. */
  readonly payload: Json;
}

export interface BatchOptions {
  /** One op for all rows (default `insert`), or one code of {@link OPS} a row. */
  readonly op?: Op | Uint8Array;
  /** Rows as they were before, aligned with this batch: full images or key columns with the rest absent. */
  readonly before?: Batch;
  /** Bytes that the rows came as, for rates and budgets; measured from the columns when not given. */
  readonly byteSize?: number;
  /** Rows that could not be read, in order: the job says whether that is tolerated. */
  readonly rejected?: readonly RejectedRow[];
  /** Of changes, and of a copy that a log goes on from: where the rows come from. */
  readonly origins?: Origins;
}

export class Batch {
  readonly kind = 'batch';
  readonly schema: StreamSchema;
  readonly rowCount: number;
  readonly op: Op | Uint8Array;
  readonly before: Batch | undefined;
  /** Rows between these that could not be read. */
  readonly rejected: readonly RejectedRow[];
  /** Where the rows come from, where the source says so. */
  readonly origins: Origins | undefined;
  /** The rows in their system's own bytes, where the source offers them. */
  readonly encoded: Encoded | undefined;

  private readonly made: (Column | undefined)[];
  private readonly make: (index: number) => Column;
  private readonly makeRows: (() => Row[]) | undefined;
  private rowView: readonly Row[] | undefined;
  private size: number | undefined;

  private constructor(
    schema: StreamSchema,
    rowCount: number,
    make: (index: number) => Column,
    options: BatchOptions,
    more: { encoded?: Encoded; makeRows?: () => Row[] } = {},
  ) {
    this.schema = schema;
    this.rowCount = rowCount;
    this.make = make;
    this.made = new Array(schema.fields.length);
    this.op = options.op ?? 'insert';
    this.before = options.before;
    this.rejected = options.rejected ?? [];
    this.origins = options.origins;
    this.size = options.byteSize;
    this.encoded = more.encoded;
    this.makeRows = more.makeRows;
  }

  /** A batch of columns in the order of the schema's fields. */
  static ofColumns(
    schema: StreamSchema,
    columns: readonly Column[],
    rowCount: number,
    options: BatchOptions = {},
  ): Batch {
    return new Batch(schema, rowCount, (i) => columns[i]!, options);
  }

  /** A batch of rows. A missing property is null. Columns are built when asked for; values are checked then. */
  static ofRows(schema: StreamSchema, rows: readonly Row[], options: BatchOptions = {}): Batch {
    const make = (i: number): Column => {
      const field = schema.fields[i]!;
      const builder = columnBuilder(field, rows.length);
      for (const row of rows) builder.append(row[field.name]);
      return builder.finish();
    };
    return new Batch(schema, rows.length, make, options, { makeRows: () => rows as Row[] });
  }

  /** A batch whose columns `decoder` makes on demand. */
  static ofDecoder(
    schema: StreamSchema,
    rowCount: number,
    decoder: ColumnDecoder,
    options: BatchOptions = {},
  ): Batch {
    return new Batch(schema, rowCount, (i) => decoder.column(i), options);
  }

  /** A batch of a system's own bytes, whose columns `decoder` makes on demand. */
  static ofEncoded(
    schema: StreamSchema,
    rowCount: number,
    encoded: Encoded,
    decoder: ColumnDecoder,
    options: BatchOptions = {},
  ): Batch {
    const make = (i: number) => decoder.column(i);
    return new Batch(schema, rowCount, make, { byteSize: encoded.bytes.byteLength, ...options }, { encoded });
  }

  /**
   * A batch that transforms made of this one. Each column is an index into this batch's columns (taken over
   * undecoded), a column, or a function that makes it when touched. With `selection` only those rows of this
   * batch remain, and new columns have that many rows. Ops, before-images and origins are taken over with their rows;
   * `changed` gives other ops and before-images, which are then aligned with the rows that remain.
   */
  derive(
    schema: StreamSchema,
    columns: readonly (number | Column | (() => Column))[],
    selection?: Uint32Array,
    changed: Pick<BatchOptions, 'op' | 'before'> = {},
  ): Batch {
    const make = (i: number): Column => {
      const origin = columns[i]!;
      if (typeof origin === 'function') return origin();
      if (typeof origin !== 'number') return origin;
      return selection ? take(this.column(origin), selection) : this.column(origin);
    };
    const rowCount = selection ? selection.length : this.rowCount;
    const op = changed.op ?? (selection ? selectOps(this.op, selection) : this.op);
    const before = changed.before ?? (this.before && selection ? this.before.select(selection) : this.before);
    const origins = this.origins && selection ? selectOrigins(this.origins, selection) : this.origins;
    const share = this.rowCount === 0 ? 0 : rowCount / this.rowCount;
    return new Batch(schema, rowCount, make, {
      op,
      byteSize: Math.round(this.byteSize * share),
      ...(before && { before }),
      ...(origins && { origins }),
    });
  }

  /** The rows `selection` of this batch. */
  select(selection: Uint32Array): Batch {
    return this.derive(
      this.schema,
      this.schema.fields.map((_, i) => i),
      selection,
    );
  }

  get stream(): string {
    return this.schema.stream;
  }

  /** Bytes of the rows, for rates and budgets. */
  get byteSize(): number {
    this.size ??= this.columns().reduce(
      (sum, column) => sum + columnBytes(column),
      bitmapBytes(this.rowCount),
    );
    return this.size;
  }

  /** The op of row i. */
  opAt(i: number): Op {
    return typeof this.op === 'string' ? this.op : OPS[this.op[i]!]!;
  }

  column(index: number): Column {
    let column = this.made[index];
    if (column === undefined) {
      column = this.make(index);
      this.made[index] = column;
    }
    return column;
  }

  columns(): readonly Column[] {
    return this.schema.fields.map((_, i) => this.column(i));
  }

  rows(): readonly Row[] {
    if (this.rowView === undefined) this.rowView = this.makeRows ? this.makeRows() : this.readRows();
    return this.rowView;
  }

  private readRows(): Row[] {
    const readers = this.schema.fields.map((f, i) => [f.name, valueReader(f.type, this.column(i))] as const);
    const rows: Row[] = new Array(this.rowCount);
    for (let i = 0; i < this.rowCount; i++) {
      const row: Row = {};
      for (const [name, read] of readers) row[name] = read(i);
      rows[i] = row;
    }
    return rows;
  }
}

function selectOps(op: Op | Uint8Array, selection: Uint32Array): Op | Uint8Array {
  return typeof op === 'string' ? op : Uint8Array.from(selection, (i) => op[i]!);
}
