/** Row selection on vectors. */
import { type Bitmap, bitmapBytes, getBit, take } from '@sluice/sdk';
import { type Status, status, type Vector } from './vector.js';

/** The rows of `vector` that `rows` names, in that order. */
export function gather(vector: Vector, rows: Uint32Array): Vector {
  const { data } = vector;
  const n = rows.length;
  const moved = gatherStatus(vector, rows);
  switch (data.kind) {
    case 'bits': {
      const values = new Uint8Array(bitmapBytes(n));
      for (let i = 0; i < n; i++) if (getBit(data.values, rows[i]!)) values[i >> 3]! |= 1 << (i & 7);
      return { length: n, data: { kind: 'bits', values }, ...moved };
    }
    case 'numbers': {
      const values = new Float64Array(n);
      for (let i = 0; i < n; i++) values[i] = data.values[rows[i]!]!;
      return { length: n, data: { kind: 'numbers', values, scale: data.scale }, ...moved };
    }
    case 'integers': {
      const values = Array.from(rows, (row) => data.values[row]!);
      const scale = typeof data.scale === 'number' ? data.scale : gatherInts(data.scale, rows);
      return { length: n, data: { kind: 'integers', values, scale }, ...moved };
    }
    case 'text':
    case 'lists':
      return {
        length: n,
        data: { ...data, start: gatherInts(data.start, rows), end: gatherInts(data.end, rows) },
        ...moved,
      };
    case 'whole':
      return { length: n, data: { kind: 'whole', column: take(data.column, rows) }, ...moved };
  }
}

function gatherInts(values: Int32Array, rows: Uint32Array): Int32Array {
  const taken = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]!]!;
  return taken;
}

function gatherStatus(vector: Vector, rows: Uint32Array): Status {
  const { validity, errors, special } = vector;
  let taken: Bitmap | undefined;
  if (validity) {
    taken = new Uint8Array(bitmapBytes(rows.length));
    for (let i = 0; i < rows.length; i++) if (getBit(validity, rows[i]!)) taken[i >> 3]! |= 1 << (i & 7);
  }
  return status(taken, gatherMap(errors, rows), gatherMap(special, rows));
}

function gatherMap(
  map: ReadonlyMap<number, string> | undefined,
  rows: Uint32Array,
): Map<number, string> | undefined {
  if (map === undefined || map.size === 0) return undefined;
  const taken = new Map<number, string>();
  for (let i = 0; i < rows.length; i++) {
    const text = map.get(rows[i]!);
    if (text !== undefined) taken.set(i, text);
  }
  return taken;
}
