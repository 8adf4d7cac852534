/** Encoder of lists as arrays of one dimension; see `decode-array.ts` for the format. */
import { type Column, isValid } from '@sluice/sdk';
import { type ColumnEncoder, measureFixed, measureSpecials, writeHoles } from './column-encoder.js';
import { encodeBytes } from './encode-varlen.js';

/** Header and one dimension; an empty array has no dimension. */
const HEADER = 20;
const EMPTY = 12;

/** `name` and the element's type number are what the server expects there. */
export function encodeArray(name: string, element: ColumnEncoder, elementOid: number): ColumnEncoder {
  return { ...encodeBytes, element, prepare: (column) => arrayBytes(column, name, element, elementOid) };
}

/** The binary form of every array, as one column of bytes. */
function arrayBytes(column: Column, name: string, element: ColumnEncoder, elementOid: number): Column {
  if (column.data.layout !== 'list') throw new TypeError(`a ${column.data.layout} column, not a list`);
  const { offsets: items } = column.data;
  const child = element.prepare?.(column.data.child) ?? column.data.child;
  const sizes = new Int32Array(child.length).fill(4);
  if (element.size !== undefined) measureFixed(child, element.size, sizes);
  else element.measure!(child, sizes);
  measureSpecials(element, name, child, sizes);

  const offsets = new Int32Array(column.length + 1);
  const cursor = new Int32Array(child.length);
  let end = 0;
  for (let i = 0; i < column.length; i++) {
    if (isValid(column, i)) {
      end += items[i] === items[i + 1] ? EMPTY : HEADER;
      for (let k = items[i]!; k < items[i + 1]!; k++) {
        cursor[k] = end;
        end += sizes[k]!;
      }
    }
    offsets[i + 1] = end;
  }

  const bytes = Buffer.alloc(end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < column.length; i++) {
    const at = offsets[i]!;
    if (at === offsets[i + 1]) continue;
    const count = items[i + 1]! - items[i]!;
    view.setUint32(at + 8, elementOid);
    if (count === 0) continue;
    view.setInt32(at, 1);
    view.setInt32(at + 4, child.validity === undefined ? 0 : 1);
    view.setInt32(at + 12, count);
    view.setInt32(at + 16, 1);
  }
  // Slots of the child that no row refers to are left out.
  const range = { from: items[0]!, to: items[column.length]! };
  const out = { bytes, view, cursor: cursor.subarray(range.from) };
  writeHoles(element, child, range, out);
  element.write(child, range, out);
  return { ...column, data: { layout: 'varlen', offsets, data: bytes } };
}
