/** Rows with values outside their types' range for which a column has no binary form, but perhaps a text that fits. */
import type { Column } from '@sluice/sdk';
import type { ColumnEncoder } from './column-encoder.js';
import type { EncodedColumn } from './frame-encoder.js';
import { passingFields } from './untouched.js';

/** The rows, in order; undefined when every value has a place. */
export function unplacedRows(
  encoded: readonly EncodedColumn[],
  columns: readonly Column[],
): Uint32Array | undefined {
  const rows = new Set<number>();
  encoded.forEach(({ encoder, wire }, c) => {
    if (passingFields(columns[c]!, wire) === undefined) collect(encoder, columns[c]!, rows);
  });
  return rows.size === 0 ? undefined : Uint32Array.from(rows).sort();
}

function collect(encoder: ColumnEncoder, column: Column, rows: Set<number>): void {
  if (column.special !== undefined) {
    for (const [row, text] of column.special) if (encoder.special?.(text) === undefined) rows.add(row);
  }
  if (encoder.element === undefined || column.data.layout !== 'list') return;
  const slots = new Set<number>();
  collect(encoder.element, column.data.child, slots);
  if (slots.size === 0) return;
  const { offsets } = column.data;
  for (let i = 0; i < column.length; i++) {
    for (let slot = offsets[i]!; slot < offsets[i + 1]!; slot++) if (slots.has(slot)) rows.add(i);
  }
}
