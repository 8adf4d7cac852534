/** Columns of a stream as feeds take them, compiled once per shape. */
import { type Batch, type Column, getBit, type StreamSchema } from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import { duckdbErrors } from '../errors.js';
import { placeSpecials } from './place-specials.js';
import type { FeedColumn } from './row-feeds.js';
import { vectorType } from './vector-write.js';

export function feedColumns(schema: StreamSchema, driver: Driver): FeedColumn[] {
  return schema.fields.map((f) => ({ name: f.name, ...vectorType(f.type, driver) }));
}

/** A batch's columns, ready for vectors. Throws data errors for values that have no place. */
export function placedColumns(batch: Batch): Column[] {
  return batch.schema.fields.map((f, i) => placeSpecials(f, batch.column(i)));
}

/** Whether the source left out values of a column. */
export function hasAbsent(column: Column): boolean {
  return column.absent?.some((bits) => bits !== 0) ?? false;
}

/** Appended rows have no earlier row to take left-out values from. */
export function refuseAbsent(batch: Batch, columns: readonly Column[]): void {
  for (const [i, column] of columns.entries()) {
    if (!hasAbsent(column)) continue;
    let row = 0;
    while (!getBit(column.absent!, row)) row++;
    const name = batch.schema.fields[i]!.name;
    throw duckdbErrors.specialRefused(
      `column ${name}: the source left the value out, and appended rows need one`,
      {
        details: { column: name, row },
      },
    );
  }
}
