/** Decodes the columns of a table, and finds the rows that do not fit their types. */
import { type Column, type Field, getBit, isSluiceError } from '@sluice/sdk';
import { type CellFormats, cellDecoder } from './cell-columns.js';
import type { CellDecoder } from './cell-decoder.js';
import { type CellTable, NULL } from './cells.js';

/** A column with more bad values than this is looked through row by row, rather than decoded again for each. */
const FEW = 16;

export interface DecodedColumns {
  readonly columns: readonly (Column | undefined)[];
  /** Rows of the table that cannot be read, with the first reason; their values mean nothing. */
  readonly refused: ReadonlyMap<number, Error>;
}

export class ColumnDecoders {
  private readonly decoders: readonly (CellDecoder | undefined)[];

  constructor(
    private readonly fields: readonly (Field | undefined)[],
    formats: CellFormats,
    /** Whether rows may be refused; otherwise the first one's error is thrown. */
    private readonly tolerant: boolean,
  ) {
    // Where rows may be refused, nulls that are not allowed are looked for behind the decoding.
    this.decoders = fields.map((f) => f && cellDecoder(tolerant ? { ...f, nullable: true } : f, formats));
  }

  decode(table: CellTable, from: number, to: number): DecodedColumns {
    if (!this.tolerant) {
      const columns = this.decoders.map((decode, column) => decode?.(table, column, from, to));
      return { columns, refused: NONE };
    }
    const refused = new Map<number, Error>();
    for (const [row, error] of table.refused) if (row >= from && row < to) refused.set(row, error);
    const columns = this.decoders.map((decode, column) => {
      if (decode === undefined) return undefined;
      const decoded = decodeSome(decode, table, column, from, to, refused);
      if (!this.fields[column]!.nullable) refuseNulls(table, column, decoded, from, to, refused);
      return decoded;
    });
    return { columns, refused };
  }
}

const NONE: ReadonlyMap<number, Error> = new Map();

function decodeSome(
  decode: CellDecoder,
  table: CellTable,
  column: number,
  from: number,
  to: number,
  refused: Map<number, Error>,
): Column {
  for (let bad = 0; ; bad++) {
    if (bad > FEW) refuseEach(decode, table, column, from, to, refused);
    try {
      return decode(table, column, from, to);
    } catch (error) {
      refuse(table, column, table.badRow, error, refused);
    }
  }
}

function refuseEach(
  decode: CellDecoder,
  table: CellTable,
  column: number,
  from: number,
  to: number,
  refused: Map<number, Error>,
): void {
  for (let row = from; row < to; row++) {
    try {
      decode(table, column, row, row + 1);
    } catch (error) {
      refuse(table, column, row, error, refused);
    }
  }
}

/** The value is taken out of the table, so that the others can be decoded. */
function refuse(
  table: CellTable,
  column: number,
  row: number,
  error: unknown,
  refused: Map<number, Error>,
): void {
  if (!isSluiceError(error) || error.class !== 'data' || table.kindOf(row, column) === NULL) throw error;
  if (!refused.has(row)) refused.set(row, error);
  table.starts[column * table.capacity + row] = NULL;
}

function refuseNulls(
  table: CellTable,
  column: number,
  { validity, special }: Column,
  from: number,
  to: number,
  refused: Map<number, Error>,
): void {
  if (validity === undefined) return;
  for (let row = from; row < to; row++) {
    if (getBit(validity, row - from) || special?.has(row - from)) continue;
    if (!refused.has(row)) refused.set(row, table.owner.missingValue(table, row, column));
  }
}
