/**
 * Randomness that is addressed rather than drawn: a cell's words follow from (seed, stream, column, row) alone, so
 * any split, batch size or resumption sees the same rows. 32-bit integer mixing throughout: the engine keeps such
 * values in registers, and nothing is allocated per value.
 */

const GOLDEN = 0x9e3779b9 | 0;

/** A bijection of 32-bit integers in which every input bit moves about half of the output bits. */
export function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** A 32-bit key of a text, for seeds and names. */
export function keyOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = mix(hash ^ text.charCodeAt(i)) + GOLDEN;
  return mix(hash);
}

/** The cells of one column in one batch, each with a state from which its words are made. */
export interface Cells {
  readonly states: Int32Array;
  /** Number of the first row, for columns that count. */
  readonly first: number;
}

/** The cells of rows `first` to `first + count` of a stream; row numbers may exceed 32 bits. */
export function rowCells(streamKey: number, first: number, count: number): Cells {
  const states = new Int32Array(count);
  let low = first | 0;
  let key = mix(streamKey ^ mix(Math.floor(first / 2 ** 32)));
  for (let i = 0; i < count; i++) {
    states[i] = mix(low ^ key);
    low = (low + 1) | 0;
    if (low === 0) key = mix(streamKey ^ mix(Math.floor((first + i + 1) / 2 ** 32)));
  }
  return { states, first };
}

/** The same cells as another column sees them: `key` keeps columns independent of each other. */
export function keyedStates(cells: Cells, key: number): Int32Array {
  const { states } = cells;
  const keyed = new Int32Array(states.length);
  for (let i = 0; i < states.length; i++) keyed[i] = mix(states[i]! ^ key);
  return keyed;
}

/** Word n of a cell. */
export function word(state: number, n: number): number {
  return mix((state + Math.imul(n, GOLDEN)) | 0);
}

/** A number in [0, 1) of 53 random bits. */
export function fraction(state: number, n = 0): number {
  return ((word(state, n) >>> 5) * 67_108_864 + (word(state, n + 1) >>> 6)) / 9_007_199_254_740_992;
}

/** An integer in [0, below), for `below` up to 2^53. */
export function integerBelow(state: number, below: number, n = 0): number {
  return Math.floor(fraction(state, n) * below);
}
