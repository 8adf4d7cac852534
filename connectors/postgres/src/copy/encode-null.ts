import type { ColumnEncoder } from './column-encoder.js';

/** Columns of type null: no row has a value. */
export const encodeNull: ColumnEncoder = {
  size: 0,
  prepare: (column) => ({ ...column, validity: new Uint8Array((column.length + 7) >> 3) }),
  write() {},
};
