/** Decoders of text and bytes. */
import type { Column } from '@sluice/sdk';
import { type Cells, cellLength } from './cells.js';
import { copyBytes } from './copy-bytes.js';
import { validityOf } from './decode-fixed.js';

/** Values as they are: text, bytea, json. */
export function decodeBytes(cells: Cells): Column {
  return decodeBehind(cells, 0);
}

/** jsonb: a version byte, then the document. */
export function decodeJsonb(cells: Cells): Column {
  return decodeBehind(cells, 1);
}

function decodeBehind(cells: Cells, skipped: number): Column {
  const { bytes, view, starts } = cells;
  const length = starts.length;
  const offsets = new Int32Array(length + 1);
  let size = 0;
  for (let i = 0; i < length; i++) {
    const start = starts[i]!;
    if (start >= 0) size += cellLength(view, start) - skipped;
    offsets[i + 1] = size;
  }
  const data = new Uint8Array(size);
  const dataView = new DataView(data.buffer);
  for (let i = 0; i < length; i++) {
    const into = offsets[i]!;
    const run = offsets[i + 1]! - into;
    if (run > 0) copyBytes(bytes, view, starts[i]! + skipped, data, dataView, into, run);
  }
  return { length, data: { layout: 'varlen', offsets, data }, ...validityOf(cells) };
}
