/** Encoders of text and bytes. */
import type { Column } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import type { ColumnEncoder, Output, RowRange } from './column-encoder.js';
import { copyBytes } from './copy-bytes.js';
import { RowProblem } from './row-problem.js';

function varlen(column: Column): { offsets: Int32Array; data: Uint8Array } {
  if (column.data.layout !== 'varlen')
    throw new TypeError(`a ${column.data.layout} column, not a varlen one`);
  return column.data;
}

function measure(column: Column, sizes: Int32Array, extra: number): void {
  const { validity, length } = column;
  const { offsets } = varlen(column);
  for (let i = 0; i < length; i++) {
    if (validity === undefined || (validity[i >> 3]! >> (i & 7)) & 1) {
      sizes[i]! += offsets[i + 1]! - offsets[i]! + extra;
    }
  }
}

export const encodeBytes: ColumnEncoder = {
  measure: (column, sizes) => measure(column, sizes, 0),
  write(column: Column, { from, to }: RowRange, { bytes, view, cursor }: Output): void {
    const { validity } = column;
    const { offsets, data } = varlen(column);
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const start = offsets[i]!;
      const length = offsets[i + 1]! - start;
      view.setInt32(at, length);
      copyBytes(data, source, start, bytes, view, at + 4, length);
      cursor[i - from] = at + 4 + length;
    }
  },
};

/** A version byte, then the document. */
export const encodeJsonb: ColumnEncoder = {
  measure: (column, sizes) => measure(column, sizes, 1),
  write(column: Column, { from, to }: RowRange, { bytes, view, cursor }: Output): void {
    const { validity } = column;
    const { offsets, data } = varlen(column);
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const start = offsets[i]!;
      const length = offsets[i + 1]! - start;
      view.setInt32(at, length + 1);
      bytes[at + 4] = 1;
      copyBytes(data, source, start, bytes, view, at + 5, length);
      cursor[i - from] = at + 5 + length;
    }
  },
};

/** Text of a special in a text column. */
function specialText(text: string, out?: Output, at = 0): number {
  return out === undefined ? Buffer.byteLength(text) : out.bytes.write(text, at);
}

/** Text: any bytes but zero, which PostgreSQL cannot store. */
export const encodeText: ColumnEncoder = {
  ...encodeBytes,
  prepare: withoutZeros,
  special: specialText,
};

/** One search through all the bytes, which is much faster than a look at each value. */
function withoutZeros(column: Column): Column {
  const { offsets, data } = varlen(column);
  const first = offsets[0]!;
  const used = Buffer.from(data.buffer, data.byteOffset + first, offsets[column.length]! - first);
  const zero = used.indexOf(0);
  if (zero < 0) return column;
  let row = 0;
  while (offsets[row + 1]! <= zero + first) row++;
  throw new RowProblem(pgErrors.zeroCharacter, row, 'a text holds the character U+0000');
}
