/** Encoders of values whose size is fixed. 64-bit values are moved as halves; see `decode-fixed.ts`. */
import type { Column, FixedArray } from '@sluice/sdk';
import type { ColumnEncoder, Output, RowRange } from './column-encoder.js';

/** A column's fixed values and which of its rows have one. */
export function fixedValues<T extends FixedArray>(column: Column): T {
  if (column.data.layout !== 'fixed') throw new TypeError(`a ${column.data.layout} column, not a fixed one`);
  return column.data.values as T;
}

/** The 32-bit halves of 64-bit values, low half first. */
export function halvesOf(column: Column): Int32Array {
  const values = fixedValues<BigInt64Array>(column);
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

export const encodeBool: ColumnEncoder = {
  size: 1,
  write({ data, validity }: Column, { from, to }: RowRange, { bytes, view, cursor }: Output): void {
    if (data.layout !== 'bits') throw new TypeError(`a ${data.layout} column, not bits`);
    const { values } = data;
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      view.setInt32(at, 1);
      bytes[at + 4] = (values[i >> 3]! >> (i & 7)) & 1;
      cursor[i - from] = at + 5;
    }
  },
};

/** Integers and floats of at most 32 bits, by the DataView method that writes them. */
function encodeNumbers(
  size: number,
  put: 'setInt16' | 'setInt32' | 'setUint32' | 'setFloat32' | 'setFloat64',
): ColumnEncoder {
  return {
    size,
    write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
      const { validity } = column;
      const values = fixedValues<Int32Array>(column);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
        const at = cursor[i - from]!;
        view.setInt32(at, size);
        view[put](at + 4, values[i]!);
        cursor[i - from] = at + 4 + size;
      }
    },
  };
}

export const encodeInt2 = encodeNumbers(2, 'setInt16');
export const encodeOid = encodeNumbers(4, 'setUint32');
export const encodeFloat4 = encodeNumbers(4, 'setFloat32');
export const encodeFloat8 = encodeNumbers(8, 'setFloat64');

export const encodeInt4: ColumnEncoder = {
  size: 4,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const values = fixedValues<Int32Array>(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      view.setInt32(at, 4);
      view.setInt32(at + 4, values[i]!);
      cursor[i - from] = at + 8;
    }
  },
};

/** int64 as int8, time as time. */
export const encodeInt8: ColumnEncoder = {
  size: 8,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const halves = halvesOf(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      view.setInt32(at, 8);
      view.setInt32(at + 4, halves[2 * i + 1]!);
      view.setInt32(at + 8, halves[2 * i]!);
      cursor[i - from] = at + 12;
    }
  },
};

/** Unsigned integers of at most 32 bits as int8. */
export const encodeUintAsInt8: ColumnEncoder = {
  size: 8,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const values = fixedValues<Uint32Array>(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const value = values[i]!;
      view.setInt32(at, 8);
      view.setInt32(at + 4, value < 0 ? -1 : 0);
      view.setInt32(at + 8, value);
      cursor[i - from] = at + 12;
    }
  },
};

export const encodeUuid: ColumnEncoder = {
  size: 16,
  write({ data, validity }: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    if (data.layout !== 'bytes') throw new TypeError(`a ${data.layout} column, not bytes`);
    const source = new DataView(data.values.buffer, data.values.byteOffset, data.values.byteLength);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      view.setInt32(at, 16);
      view.setInt32(at + 4, source.getInt32(i * 16));
      view.setInt32(at + 8, source.getInt32(i * 16 + 4));
      view.setInt32(at + 12, source.getInt32(i * 16 + 8));
      view.setInt32(at + 16, source.getInt32(i * 16 + 12));
      cursor[i - from] = at + 20;
    }
  },
};
