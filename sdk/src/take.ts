/** Row selection on columns. */
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  type FixedArray,
  getBit,
  type Layout,
  setBit,
} from './layout.js';

/** A column by itself, decoded, without a way back to the bytes that it came from: for those who keep it for long. */
export function decodedColumn({ select: _, ...column }: Column): Column {
  return column;
}

/** The rows `indices` of a column, in that order. */
export function take(column: Column, indices: Uint32Array): Column {
  if (column.select !== undefined) return column.select(indices);
  const length = indices.length;
  const special = column.special && takeSpecial(column.special, indices);
  return {
    length,
    data: takeLayout(column.data, indices),
    ...(column.validity && { validity: takeBits(column.validity, indices) }),
    ...(column.absent && { absent: takeBits(column.absent, indices) }),
    ...(special && special.size > 0 && { special }),
  };
}

/** Rows from `from` up to `to`, exclusive; shares memory where the layout allows. */
export function slice(column: Column, from: number, to: number): Column {
  if (from === 0 && to === column.length) return column;
  const { data } = column;
  if (column.validity === undefined && column.absent === undefined && column.special === undefined) {
    if (data.layout === 'fixed')
      return { length: to - from, data: { ...data, values: data.values.subarray(from, to) } };
    if (data.layout === 'varlen') {
      return { length: to - from, data: { ...data, offsets: data.offsets.subarray(from, to + 1) } };
    }
  }
  const indices = new Uint32Array(to - from);
  for (let i = 0; i < indices.length; i++) indices[i] = from + i;
  return take(column, indices);
}

function takeBits(bits: Bitmap, indices: Uint32Array): Bitmap {
  const taken = new Uint8Array(bitmapBytes(indices.length));
  for (let i = 0; i < indices.length; i++) if (getBit(bits, indices[i]!)) setBit(taken, i);
  return taken;
}

function takeSpecial(special: ReadonlyMap<number, string>, indices: Uint32Array): Map<number, string> {
  const taken = new Map<number, string>();
  for (let i = 0; i < indices.length; i++) {
    const text = special.get(indices[i]!);
    if (text !== undefined) taken.set(i, text);
  }
  return taken;
}

function takeFixed<T extends FixedArray>(values: T, indices: Uint32Array): T {
  const taken = new (values.constructor as { new (length: number): T })(indices.length);
  for (let i = 0; i < indices.length; i++) taken[i] = values[indices[i]!]!;
  return taken;
}

function takeLayout(data: Layout, indices: Uint32Array): Layout {
  switch (data.layout) {
    case 'none':
      return data;
    case 'bits':
      return { layout: 'bits', values: takeBits(data.values, indices) };
    case 'fixed':
      return { layout: 'fixed', values: takeFixed(data.values, indices) };
    case 'bytes': {
      const { width } = data;
      const values = new Uint8Array(indices.length * width);
      for (let i = 0; i < indices.length; i++) {
        const from = indices[i]! * width;
        for (let b = 0; b < width; b++) values[i * width + b] = data.values[from + b]!;
      }
      return { layout: 'bytes', width, values };
    }
    case 'varlen':
      return takeVarlen(data.offsets, data.data, indices);
    case 'list': {
      const offsets = new Int32Array(indices.length + 1);
      const slots: number[] = [];
      for (let i = 0; i < indices.length; i++) {
        const row = indices[i]!;
        for (let at = data.offsets[row]!; at < data.offsets[row + 1]!; at++) slots.push(at);
        offsets[i + 1] = slots.length;
      }
      return { layout: 'list', offsets, child: take(data.child, Uint32Array.from(slots)) };
    }
    case 'struct':
      return { layout: 'struct', children: data.children.map((child) => take(child, indices)) };
    case 'union':
      return {
        layout: 'union',
        typeIds: takeFixed(data.typeIds, indices),
        children: data.children.map((child) => take(child, indices)),
      };
  }
}

function takeVarlen(offsets: Int32Array, data: Uint8Array, indices: Uint32Array): Layout {
  const taken = new Int32Array(indices.length + 1);
  let size = 0;
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    size += offsets[row + 1]! - offsets[row]!;
    taken[i + 1] = size;
  }
  const bytes = new Uint8Array(size);
  let run = 0;
  while (run < indices.length) {
    let end = run + 1;
    while (end < indices.length && indices[end] === indices[end - 1]! + 1) end++;
    bytes.set(data.subarray(offsets[indices[run]!]!, offsets[indices[end - 1]! + 1]!), taken[run]!);
    run = end;
  }
  return { layout: 'varlen', offsets: taken, data: bytes };
}
