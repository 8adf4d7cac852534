/**
 * The RLE / bit-packed hybrid, in which levels and dictionary indices are written:
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3
 */

/** An upper bound of the bytes that `count` values of `width` bits take. */
export function hybridBound(count: number, width: number): number {
  const groups = Math.ceil(count / 8);
  // Worst: a run and a literal group in turn, each with a header of its own.
  return groups * (width + 1) + groups * (1 + ((width + 7) >> 3)) + 16;
}

/** Writes `count` times the same value as one run; returns the end. */
export function writeRun(value: number, count: number, width: number, out: Uint8Array, at: number): number {
  at = writeVarint(count * 2, out, at);
  for (let bits = 0; bits < width; bits += 8) out[at++] = value >>> bits;
  return at;
}

/**
 * Writes the first `count` of `values` with `width` bits each (at most 24) and returns the end. Groups of eight
 * that start a run of at least eight equal values become runs, the others are packed.
 */
export function writeHybrid(
  values: Uint8Array | Uint32Array,
  count: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  let literals = 0; // start of the groups that wait to be packed
  let i = 0;
  while (i < count) {
    const value = values[i]!;
    let end = i + 1;
    while (end < count && values[end] === value) end++;
    if (end - i < 8) {
      i += 8;
      continue;
    }
    if (i > literals) at = writePacked(values, literals, i, width, out, at);
    at = writeRun(value, end - i, width, out, at);
    i = end;
    literals = end;
  }
  return literals < count ? writePacked(values, literals, count, width, out, at) : at;
}

/** Packs values from `from` up to `to`; only the last packed run of all may hold an incomplete group. */
function writePacked(
  values: Uint8Array | Uint32Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  const groups = (to - from + 7) >> 3;
  at = writeVarint(groups * 2 + 1, out, at);
  const end = at + groups * width;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    held |= values[i]! << bits;
    bits += width;
    while (bits >= 8) {
      out[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) out[at++] = held;
  while (at < end) out[at++] = 0;
  return end;
}

function writeVarint(value: number, out: Uint8Array, at: number): number {
  while (value >= 0x80) {
    out[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}
