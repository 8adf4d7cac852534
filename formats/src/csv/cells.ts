/** The cells of CSV records: their escapes and their errors. */
import { type Field, formatType } from '@sluice/sdk';
import type { CellOwner, CellTable, Unescape } from '../text/cells.js';
import { shortened } from '../text/shortened.js';
import type { ResolvedDialect } from './dialect.js';
import { csvErrors } from './errors.js';

const BACKSLASH = 0x5c;

export class CsvCells implements CellOwner {
  readonly unescape: Unescape;
  private fields: readonly (Field | undefined)[] = [];

  constructor(
    readonly file: string,
    readonly names: readonly string[],
    dialect: ResolvedDialect,
  ) {
    this.unescape = dialect.backslash ? unescapeBackslashes : doubledQuotes(dialect.quote);
  }

  /** The types that cells are decoded to, for errors. */
  expect(fields: readonly (Field | undefined)[]): void {
    this.fields = fields;
  }

  badValue(table: CellTable, row: number, column: number, text: string, why?: string): Error {
    table.badRow = row;
    const field = this.fields[column];
    const reason = why === undefined ? '' : ` (${why})`;
    const isEmpty = text === '' ? ' An empty text in quotes is null with `empty: "null"`.' : '';
    const message = `${this.where(table, row)}: column ${this.names[column]}: ${shortened(text)} is no ${
      field === undefined ? 'text' : formatType(field.type)
    }${reason}.${isEmpty}`;
    return csvErrors.badValue(message, { details: this.details(table, row, column) });
  }

  missingValue(table: CellTable, row: number, column: number): Error {
    table.badRow = row;
    const message = `${this.where(table, row)}: column ${this.names[column]} is empty and allows no nulls`;
    return csvErrors.missingValue(message, { details: this.details(table, row, column) });
  }

  private where(table: CellTable, row: number): string {
    return `${this.file}, line ${table.lineOf(row)}`;
  }

  private details(table: CellTable, row: number, column: number) {
    return { file: this.file, line: table.lineOf(row), column: this.names[column] ?? column };
  }
}

function doubledQuotes(quote: number): Unescape {
  return (bytes, from, to, out, at) => {
    while (from < to) {
      const byte = bytes[from]!;
      out[at++] = byte;
      from += byte === quote ? 2 : 1;
    }
    return at;
  };
}

const unescapeBackslashes: Unescape = (bytes, from, to, out, at) => {
  while (from < to) {
    if (bytes[from] === BACKSLASH) from++;
    out[at++] = bytes[from++]!;
  }
  return at;
};
