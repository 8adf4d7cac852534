/**
 * Column layouts: Arrow's memory layout (https://arrow.apache.org/docs/format/Columnar.html), so that Arrow
 * consumers take a column's buffers as they are and everyone else loops over typed arrays.
 */

/** A bitmap, least significant bit first; bit i belongs to row i. */
export type Bitmap = Uint8Array;

export type FixedArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** How the values of a column lie in memory. Positions under a null bit hold zeros or empty ranges. */
export type Layout =
  | { readonly layout: 'none' }
  | { readonly layout: 'bits'; readonly values: Bitmap }
  | { readonly layout: 'fixed'; readonly values: FixedArray }
  /** `width` bytes a row: uuid (16, network order), decimal128 (16, little endian), interval (16). */
  | { readonly layout: 'bytes'; readonly width: number; readonly values: Uint8Array }
  /** Row i is `data[offsets[i] .. offsets[i + 1]]`; `offsets` has length + 1 entries and starts anywhere. */
  | { readonly layout: 'varlen'; readonly offsets: Int32Array; readonly data: Uint8Array }
  | { readonly layout: 'list'; readonly offsets: Int32Array; readonly child: Column }
  | { readonly layout: 'struct'; readonly children: readonly Column[] }
  /** Dense in no buffer: every child has the union's length (Arrow's sparse union). */
  | { readonly layout: 'union'; readonly typeIds: Int8Array; readonly children: readonly Column[] };

/** Values of one field for the rows of a batch. Immutable once it has been handed on. */
export interface Column {
  readonly length: number;
  readonly data: Layout;
  /** Bit set: the row has a value. Absent when every row has one. */
  readonly validity?: Bitmap;
  /** Bit set: the source did not send this value (UNCHANGED). Such rows are also null in `validity`. */
  readonly absent?: Bitmap;
  /**
   * Values outside the logical type's range (NaN, ±infinity, BC and zero dates, …) as the system's text, by row.
   * Such rows are also null in `validity`. A sink places them or rejects the row; it never bends them.
   */
  readonly special?: ReadonlyMap<number, string>;
  /** Of a column that is decoded at the first look at it: some of its rows, still undecoded. See {@link take}. */
  readonly select?: (rows: Uint32Array) => Column;
}

export function bitmapBytes(length: number): number {
  return (length + 7) >> 3;
}
export function getBit(bitmap: Bitmap, i: number): boolean {
  return ((bitmap[i >> 3]! >> (i & 7)) & 1) === 1;
}
export function setBit(bitmap: Bitmap, i: number): void {
  bitmap[i >> 3]! |= 1 << (i & 7);
}
export function clearBit(bitmap: Bitmap, i: number): void {
  bitmap[i >> 3]! &= ~(1 << (i & 7));
}

/** A bitmap with the first `length` bits set and the rest clear. */
export function filledBitmap(length: number): Bitmap {
  const bitmap = new Uint8Array(bitmapBytes(length)).fill(0xff);
  if (length & 7) bitmap[bitmap.length - 1] = (1 << (length & 7)) - 1;
  return bitmap;
}

/** Whether row i has a value: not null, not UNCHANGED, not special. */
export function isValid(column: Column, i: number): boolean {
  return column.validity === undefined ? column.data.layout !== 'none' : getBit(column.validity, i);
}

/** How many rows have no value. */
export function nullCount(column: Column): number {
  if (column.data.layout === 'none') return column.length;
  if (column.validity === undefined) return 0;
  let nulls = 0;
  for (let i = 0; i < column.length; i++) if (!getBit(column.validity, i)) nulls++;
  return nulls;
}

/** Bytes that a column's buffers hold, for budgets. A column that views a part of a buffer counts that part. */
export function columnBytes(column: Column): number {
  let bytes = (column.validity?.byteLength ?? 0) + (column.absent?.byteLength ?? 0);
  const data = column.data;
  switch (data.layout) {
    case 'bits':
    case 'fixed':
    case 'bytes':
      bytes += data.values.byteLength;
      break;
    case 'varlen':
      bytes += data.offsets.byteLength + data.offsets[column.length]! - data.offsets[0]!;
      break;
    case 'list':
      bytes += data.offsets.byteLength + columnBytes(data.child);
      break;
    case 'struct':
      for (const child of data.children) bytes += columnBytes(child);
      break;
    case 'union':
      bytes += data.typeIds.byteLength;
      for (const child of data.children) bytes += columnBytes(child);
      break;
  }
  return bytes;
}
