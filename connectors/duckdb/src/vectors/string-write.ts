/**
 * Texts and bytes into vectors. DuckDB's string is 16 bytes: a length, then either up to 12 bytes of the text
 * itself, or its first 4 bytes and a pointer (`duckdb_string_t` of its C header). All texts of a chunk are handed
 * over as one run of bytes, which DuckDB copies once; its address is then read back and the strings are built
 * around it. One call a string, the library's way, costs several times as much as everything else together.
 */
import type { Vector } from '@duckdb/node-bindings';
import type { Layout } from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import { duckdbErrors } from '../errors.js';
import type { Scratch } from './scratch.js';
import type { ValuesWriter } from './vector-write.js';

const INLINE = 12;
const POINTER_HIGH = 4_294_967_296;

/** Writes varlen rows; `text` says that they are UTF-8, which DuckDB then checks. */
export function stringWriter({ bindings }: Driver, scratch: Scratch, text: boolean): ValuesWriter {
  return (vector, layout, from, count) => {
    const { offsets, data } = layout as Extract<Layout, { layout: 'varlen' }>;
    const start = offsets[from]!;
    const end = offsets[from + count]!;
    // Where byte 0 of `data` lies, or would lie, in DuckDB's memory; below 2^48, so a double holds it.
    const base = end - start > INLINE ? handOver(bindings, vector, data.subarray(start, end)) - start : 0;
    if (text && end - start <= INLINE) requireText(data, start, end);
    if (Number.isNaN(base)) throw invalidText(layout as Extract<Layout, { layout: 'varlen' }>, from, count);
    scratch.reserve(count * 16);
    const { words, bytes } = scratch;
    for (let i = 0; i < count; i++) {
      const at = offsets[from + i]!;
      const length = offsets[from + i + 1]! - at;
      const word = i * 4;
      words[word] = length;
      if (length > INLINE) {
        words[word + 1] = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
        const pointer = base + at;
        words[word + 2] = pointer | 0;
        words[word + 3] = Math.floor(pointer / POINTER_HIGH);
      } else {
        words[word + 1] = 0;
        words[word + 2] = 0;
        words[word + 3] = 0;
        for (let b = 0, into = word * 4 + 4; b < length; b++) bytes[into + b] = data[at + b]!;
      }
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 16);
  };
}

/** Copies bytes into the vector's heap and returns their address; NaN when DuckDB finds no UTF-8 in a text. */
function handOver(bindings: Driver['bindings'], vector: Vector, run: Uint8Array): number {
  bindings.vector_assign_string_element_len(vector, 0, run);
  const first = bindings.vector_get_data(vector, 16);
  const view = new DataView(first.buffer, first.byteOffset, 16);
  if (view.getUint32(0, true) !== run.byteLength) return Number.NaN;
  return view.getUint32(12, true) * POINTER_HIGH + view.getUint32(8, true);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function isText(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A run that fits into a string by itself is never handed over, so it is checked here. */
function requireText(data: Uint8Array, start: number, end: number): void {
  if (!isText(data.subarray(start, end))) throw duckdbErrors.rowRefused('a text is not valid UTF-8');
}

/** Names the row whose text is no UTF-8. */
function invalidText(
  { offsets, data }: Extract<Layout, { layout: 'varlen' }>,
  from: number,
  count: number,
): Error {
  for (let row = from; row < from + count; row++) {
    if (isText(data.subarray(offsets[row]!, offsets[row + 1]!))) continue;
    return duckdbErrors.rowRefused(`the text of row ${row} is not valid UTF-8`, { details: { row } });
  }
  return duckdbErrors.rowRefused('texts run into each other in the middle of a character');
}
