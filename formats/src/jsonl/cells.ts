/** The cells of JSON records: their escapes and their errors. */
import { type Field, formatType } from '@sluice/sdk';
import type { CellOwner, CellTable } from '../text/cells.js';
import { shortened } from '../text/shortened.js';
import { jsonErrors } from './errors.js';
import { unescapeJson } from './unescape.js';

export class JsonCells implements CellOwner {
  readonly unescape = unescapeJson;

  constructor(
    readonly file: string,
    private readonly fields: readonly Field[],
  ) {}

  badValue(table: CellTable, row: number, column: number, text: string, why?: string): Error {
    table.badRow = row;
    const { name, type } = this.fields[column]!;
    const reason = why === undefined ? '' : ` (${why})`;
    const message = `${this.where(table, row)}: column ${name}: ${shortened(text)} is no ${formatType(type)}${reason}`;
    return jsonErrors.badValue(message, { details: this.details(table, row, column) });
  }

  missingValue(table: CellTable, row: number, column: number): Error {
    table.badRow = row;
    const message = `${this.where(table, row)}: column ${this.fields[column]!.name} is missing and allows no nulls`;
    return jsonErrors.missingValue(message, { details: this.details(table, row, column) });
  }

  private where(table: CellTable, row: number): string {
    return `${this.file}, line ${table.lineOf(row)}`;
  }

  private details(table: CellTable, row: number, column: number) {
    return { file: this.file, line: table.lineOf(row), column: this.fields[column]!.name };
  }
}
