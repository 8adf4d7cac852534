/** Looking into lists, structs and maps. */
import { bitmapBytes, type Column, columnOf, getBit, type LogicalType, setBit } from '@sluice/sdk';
import { textEquals } from './compare.js';
import { vectorOf } from './from-column.js';
import { gather } from './gather.js';
import { scaled } from './scales.js';
import {
  andValidity,
  computedStatus,
  expectKind,
  hasValue,
  type Kernel,
  mergeErrors,
  type Status,
  status,
  type Vector,
} from './vector.js';

/** How many items a list or entries a map has. */
export function listSize(): Kernel {
  return (args, rows) => {
    const { start, end } = boundsOf(args[0]!);
    const values = new Float64Array(rows);
    for (let i = 0; i < rows; i++) values[i] = end[i]! - start[i]!;
    return { length: rows, data: { kind: 'numbers', values, scale: 0 }, ...computedStatus(args, rows) };
  };
}

function boundsOf(vector: Vector): { start: Int32Array; end: Int32Array } {
  if (vector.data.kind === 'lists') return vector.data;
  const { data, length } = expectKind(vector, 'whole').column;
  if (data.layout !== 'list') throw new TypeError(`a ${data.layout} column has no items`);
  return { start: data.offsets.subarray(0, length), end: data.offsets.subarray(1, length + 1) };
}

/** The item at an index from 0; null where the list has none there. */
export function listItem(type: LogicalType): Kernel {
  return (args, rows) => {
    const { start, end, items } = expectKind(args[0]!, 'lists');
    const index = scaled(args[1]!).values;
    const known = computedStatus(args, rows);
    const picked = new Uint32Array(rows);
    const present = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) {
      const at = Number(index[i]!);
      if (!hasValue(known, i) || at < 0 || at >= end[i]! - start[i]!) continue;
      picked[i] = start[i]! + at;
      setBit(present, i);
    }
    return pickedItems(type, items, picked, present, known, rows);
  };
}

/** Items where `present`; null elsewhere, or in error where the list or the key was. */
function pickedItems(
  type: LogicalType,
  items: Vector,
  picked: Uint32Array,
  present: Uint8Array,
  known: Status,
  rows: number,
): Vector {
  if (items.length === 0) {
    const nothing = columnOf({ name: 'item', type, nullable: true }, new Array(rows).fill(null));
    return { length: rows, data: vectorOf(type, nothing).data, ...status(present, known.errors) };
  }
  const { data, validity, errors, special } = gather(items, picked);
  const within = <T>(map: ReadonlyMap<number, T> | undefined) =>
    map && new Map([...map].filter(([row]) => getBit(present, row)));
  const both = andValidity(validity, present, rows);
  return { length: rows, data, ...status(both, mergeErrors(within(errors), known.errors), within(special)) };
}

/** A member of a struct. */
export function structMember(at: number, type: LogicalType): Kernel {
  return ([vector], rows) => {
    const child = vectorOf(type, structChild(expectKind(vector!, 'whole').column, at));
    const validity = andValidity(vector!.validity, child.validity, rows);
    return {
      length: rows,
      data: child.data,
      ...status(validity, mergeErrors(vector!.errors, child.errors), child.special),
    };
  };
}

function structChild({ data }: Column, at: number): Column {
  if (data.layout !== 'struct') throw new TypeError(`a ${data.layout} column has no members`);
  return data.children[at]!;
}

/** The value of a map's key; of entries with the same key the last counts. Null where there is none. */
export function mapValue(key: LogicalType, value: LogicalType): Kernel {
  return (args, rows) => {
    const { start, end } = boundsOf(args[0]!);
    const wanted = expectKind(args[1]!, 'text');
    const { data } = expectKind(args[0]!, 'whole').column;
    if (data.layout !== 'list') throw new TypeError('a map without entries');
    const keys = expectKind(vectorOf(key, structChild(data.child, 0)), 'text');
    const known = computedStatus(args, rows);
    const picked = new Uint32Array(rows);
    const present = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) {
      if (!hasValue(known, i)) continue;
      for (let at = end[i]! - 1; at >= start[i]!; at--) {
        if (!textEquals(keys, at, wanted, i)) continue;
        picked[i] = at;
        setBit(present, i);
        break;
      }
    }
    return pickedItems(value, vectorOf(value, structChild(data.child, 1)), picked, present, known, rows);
  };
}
