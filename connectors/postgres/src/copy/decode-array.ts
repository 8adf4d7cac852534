/**
 * Arrays of one dimension that begin at 1 are lists. Others (more dimensions, other bounds) are specials with their
 * text. Layout: int32 dimensions, int32 flags, int32 type of the elements, for each dimension int32 size and int32
 * lower bound, then the elements, each behind its int32 length (array_send in src/backend/utils/adt/arrayfuncs.c).
 */
import { type Column, type LogicalType, valueReader } from '@sluice/sdk';
import { elementText } from '../types/value-text.js';
import type { Cells } from './cells.js';
import type { FieldDecoder } from './decode-column.js';
import { Specials } from './decode-fixed.js';

/** Bytes before the dimensions, and of each dimension. */
const HEADER = 12;
const DIMENSION = 8;

export function decodeArray(cells: Cells, item: LogicalType, decode: FieldDecoder): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const offsets = new Int32Array(length + 1);
  const specials = new Specials();
  let total = 0;
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at >= 0) {
      if (isList(view, at)) total += itemCount(view, at);
      else specials.add(i, arrayText(cells, at, item, decode));
    }
    offsets[i + 1] = total;
  }
  const elements = new Int32Array(total);
  let nulls = 0;
  for (let i = 0; i < length; i++) {
    if (offsets[i + 1]! > offsets[i]!) {
      nulls += findElements(
        view,
        starts[i]! + HEADER + DIMENSION,
        elements.subarray(offsets[i]!, offsets[i + 1]!),
      );
    }
  }
  const child = decode({ bytes: cells.bytes, view, starts: elements, nulls });
  return { length, data: { layout: 'list', offsets, child }, ...specials.over(cells) };
}

function isList(view: DataView, at: number): boolean {
  const dimensions = view.getInt32(at);
  return dimensions === 0 || (dimensions === 1 && view.getInt32(at + HEADER + 4) === 1);
}

function itemCount(view: DataView, at: number): number {
  return view.getInt32(at) === 0 ? 0 : view.getInt32(at + HEADER);
}

/** Offsets of the elements that lie from `at` on; returns how many are null. */
function findElements(view: DataView, at: number, into: Int32Array): number {
  let nulls = 0;
  for (let i = 0; i < into.length; i++) {
    const size = view.getInt32(at);
    at += 4;
    if (size < 0) {
      into[i] = -1;
      nulls++;
    } else {
      into[i] = at;
      at += size;
    }
  }
  return nulls;
}

/** `[0:1]={1,2}`, `{{1,2},{3,4}}`. */
function arrayText(cells: Cells, at: number, item: LogicalType, decode: FieldDecoder): string {
  const { bytes, view } = cells;
  const sizes: number[] = [];
  const bounds: number[] = [];
  const dimensions = view.getInt32(at);
  for (let d = 0; d < dimensions; d++) {
    sizes.push(view.getInt32(at + HEADER + d * DIMENSION));
    bounds.push(view.getInt32(at + HEADER + d * DIMENSION + 4));
  }
  const starts = new Int32Array(sizes.reduce((product, size) => product * size, 1));
  const nulls = findElements(view, at + HEADER + dimensions * DIMENSION, starts);
  const read = valueReader(item, decode({ bytes, view, starts, nulls }));
  let next = 0;
  const braces = (depth: number): string => {
    const parts = Array.from({ length: sizes[depth]! }, () =>
      depth === dimensions - 1 ? elementText(item, read(next++)) : braces(depth + 1),
    );
    return `{${parts.join(',')}}`;
  };
  const shifted = bounds.some((bound) => bound !== 1);
  const prefix = shifted
    ? `${sizes.map((size, d) => `[${bounds[d]}:${bounds[d]! + size - 1}]`).join('')}=`
    : '';
  return `${prefix}${braces(0)}`;
}
