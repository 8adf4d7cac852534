/**
 * Decoders of values whose size is fixed. 64-bit values are moved as two halves of 32 bits, which neither allocates
 * nor loses digits; all machines that Node.js supports here are little endian.
 */
import { type Bitmap, bitmapBytes, type Column, clearBit, filledBitmap, setBit } from '@sluice/sdk';
import type { Cells } from './cells.js';

/** The validity of cells: absent when none is null. */
export function validityOf({ starts, nulls }: Cells): { validity?: Bitmap } {
  if (nulls === 0) return {};
  const length = starts.length;
  const validity = filledBitmap(length);
  for (let i = 0; i < length; i++) if (starts[i]! < 0) clearBit(validity, i);
  return { validity };
}

/** Collects values outside the logical type's range; they are null in the column. */
export class Specials {
  private entries: Map<number, string> | undefined;

  add(row: number, text: string): void {
    this.entries ??= new Map();
    this.entries.set(row, text);
  }

  /** The column's parts beside its values. */
  over(cells: Cells): Pick<Column, 'validity' | 'special'> {
    const { validity } = validityOf(cells);
    if (this.entries === undefined) return validity ? { validity } : {};
    const holes = validity ?? filledBitmap(cells.starts.length);
    for (const row of this.entries.keys()) clearBit(holes, row);
    return { validity: holes, special: this.entries };
  }
}

export function decodeBool(cells: Cells): Column {
  const { bytes, starts } = cells;
  const length = starts.length;
  const values = new Uint8Array(bitmapBytes(length));
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at >= 0 && bytes[at] === 1) setBit(values, i);
  }
  return { length, data: { layout: 'bits', values }, ...validityOf(cells) };
}

export function decodeInt2(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Int16Array(starts.length);
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at >= 0) values[i] = view.getInt16(at);
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

export function decodeInt4(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Int32Array(starts.length);
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at >= 0) values[i] = view.getInt32(at);
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

export function decodeOid(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Uint32Array(starts.length);
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at >= 0) values[i] = view.getUint32(at);
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

/** int8 and time. */
export function decodeInt8(cells: Cells): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new BigInt64Array(length);
  const halves = new Int32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    halves[2 * i] = view.getInt32(at + 4);
    halves[2 * i + 1] = view.getInt32(at);
  }
  return { length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

export function decodeFloat4(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Float32Array(starts.length);
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at >= 0) values[i] = view.getFloat32(at);
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

export function decodeFloat8(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Float64Array(starts.length);
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at >= 0) values[i] = view.getFloat64(at);
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...validityOf(cells) };
}

export function decodeUuid(cells: Cells): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new Uint8Array(length * 16);
  const quarters = new Int32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    quarters[4 * i] = view.getInt32(at, true);
    quarters[4 * i + 1] = view.getInt32(at + 4, true);
    quarters[4 * i + 2] = view.getInt32(at + 8, true);
    quarters[4 * i + 3] = view.getInt32(at + 12, true);
  }
  return { length, data: { layout: 'bytes', width: 16, values }, ...validityOf(cells) };
}
