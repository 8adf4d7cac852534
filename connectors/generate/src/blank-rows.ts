/** Takes values out of rows: null below, and zeros or empty ranges in the buffers, as column layouts require. */
import { type Bitmap, type Column, clearBit, filledBitmap, getBit, type Layout, take } from '@sluice/sdk';

/** The column without the values of rows whose bit in `keep` is clear. Its own buffers may be reused. */
export function blankRows(column: Column, keep: Bitmap): Column {
  const { length } = column;
  const validity = column.validity ? column.validity.slice() : filledBitmap(length);
  for (let i = 0; i < validity.length; i++) validity[i]! &= keep[i]!;
  const special = new Map([...(column.special ?? [])].filter(([row]) => getBit(keep, row)));
  return {
    length,
    data: blankLayout(column.data, length, keep),
    validity,
    ...(special.size > 0 && { special }),
  };
}

function blankLayout(data: Layout, length: number, keep: Bitmap): Layout {
  switch (data.layout) {
    case 'none':
      return data;
    case 'bits':
      for (let i = 0; i < length; i++) if (!getBit(keep, i)) clearBit(data.values, i);
      return data;
    case 'fixed': {
      const zero = typeof data.values[0] === 'bigint' ? 0n : 0;
      for (let i = 0; i < length; i++) if (!getBit(keep, i)) data.values[i] = zero;
      return data;
    }
    case 'bytes':
      for (let i = 0; i < length; i++) {
        if (!getBit(keep, i)) data.values.fill(0, i * data.width, (i + 1) * data.width);
      }
      return data;
    case 'varlen':
      return blankVarlen(data.offsets, data.data, length, keep);
    case 'list': {
      const kept: number[] = [];
      const offsets = new Int32Array(length + 1);
      for (let i = 0; i < length; i++) {
        if (getBit(keep, i)) for (let at = data.offsets[i]!; at < data.offsets[i + 1]!; at++) kept.push(at);
        offsets[i + 1] = kept.length;
      }
      return { layout: 'list', offsets, child: take(data.child, Uint32Array.from(kept)) };
    }
    case 'struct':
      return { layout: 'struct', children: data.children.map((child) => blankRows(child, keep)) };
    case 'union':
      for (let i = 0; i < length; i++) if (!getBit(keep, i)) data.typeIds[i] = 0;
      return { ...data, children: data.children.map((child) => blankRows(child, keep)) };
  }
}

/** Moves the kept rows' bytes together, in place: they only ever move towards the front. */
function blankVarlen(offsets: Int32Array, bytes: Uint8Array, length: number, keep: Bitmap): Layout {
  let end = 0;
  let start = offsets[0]!;
  offsets[0] = 0;
  for (let i = 0; i < length; i++) {
    const stop = offsets[i + 1]!;
    if (getBit(keep, i)) {
      if (end !== start) bytes.copyWithin(end, start, stop);
      end += stop - start;
    }
    offsets[i + 1] = end;
    start = stop;
  }
  return { layout: 'varlen', offsets, data: bytes.subarray(0, end) };
}
