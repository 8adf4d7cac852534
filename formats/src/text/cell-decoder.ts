/** From cells to a column: what every decoder shares. */
import type { Column, Field } from '@sluice/sdk';
import type { CellTable } from './cells.js';
import type { Nulls } from './nulls.js';

/** Decodes the rows `from` … `to` (exclusive) of one column of a table. Throws the owner's coded errors. */
export type CellDecoder = (table: CellTable, column: number, from: number, to: number) => Column;

/** How bytes stand in text. */
export type BytesText = 'base64' | 'hex';

/** Numbers that no finite type holds; kept as they stand. */
const NUMBER_SPECIAL = /^(nan|[+-]?inf(inity)?)$/i;
/** Dates that the calendar does not hold: infinities, years before our era, zero dates. */
const DATE_SPECIAL = /^([+-]?infinity|\d{1,6}-\d\d-\d\d.* BC|0000-00-00.*|\d{4}-00-\d\d.*|\d{4}-\d\d-00.*)$/i;

export function isNumberSpecial(text: string): boolean {
  return NUMBER_SPECIAL.test(text);
}
export function isDateSpecial(text: string): boolean {
  return DATE_SPECIAL.test(text);
}

/** Throws when a column that allows no nulls has one. */
export function requireValues(
  field: Field,
  nulls: Nulls,
  table: CellTable,
  column: number,
  from: number,
): void {
  if (field.nullable || nulls.validity === undefined) return;
  let row = 0;
  while ((nulls.validity[row >> 3]! >> (row & 7)) & 1) row++;
  throw table.owner.missingValue(table, from + row, column);
}
