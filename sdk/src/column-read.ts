/** From columns to values: one reader per column, compiled once and called per row. */
import { formatDecimal, readInt128 } from './decimal.js';
import { type Column, getBit } from './layout.js';
import type { LogicalType } from './types.js';
import { formatUuid } from './uuid.js';
import { DECIMAL64_DIGITS, layoutOf, Special, UNCHANGED, type Value } from './values.js';

export type ValueReader = (row: number) => Value;

/** A function that yields the value of row i as `rows()` shows it (see the table in `values.ts`). */
export function valueReader(type: LogicalType, column: Column): ValueReader {
  const present = presentReader(type, column);
  const { validity, absent, special } = column;
  if (column.data.layout === 'none') return () => null;
  if (validity === undefined) return present;
  if (absent === undefined && special === undefined) return (i) => (getBit(validity, i) ? present(i) : null);
  return (i) => {
    if (getBit(validity, i)) return present(i);
    if (absent !== undefined && getBit(absent, i)) return UNCHANGED;
    const text = special?.get(i);
    return text === undefined ? null : new Special(text);
  };
}

/** All values of a column. */
export function columnValues(type: LogicalType, column: Column): Value[] {
  const read = valueReader(type, column);
  const values: Value[] = new Array(column.length);
  for (let i = 0; i < column.length; i++) values[i] = read(i);
  return values;
}

function presentReader(type: LogicalType, column: Column): ValueReader {
  const data = column.data;
  switch (data.layout) {
    case 'none':
      return () => null;
    case 'bits': {
      const { values } = data;
      return (i) => getBit(values, i);
    }
    case 'fixed': {
      const { values } = data;
      if (type.kind === 'decimal') {
        const scale = type.scale ?? 0;
        return (i) => formatDecimal(values[i] as bigint, scale);
      }
      return (i) => values[i]!;
    }
    case 'bytes': {
      const { values } = data;
      if (type.kind === 'uuid') return (i) => formatUuid(values, i * 16);
      if (type.kind === 'decimal' && (type.precision ?? 0) > DECIMAL64_DIGITS) {
        const scale = type.scale ?? 0;
        return (i) => formatDecimal(readInt128(values, i * 16), scale);
      }
      const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
      return (i) => ({
        months: view.getInt32(i * 16, true),
        days: view.getInt32(i * 16 + 4, true),
        nanos: view.getBigInt64(i * 16 + 8, true),
      });
    }
    case 'varlen': {
      const { offsets } = data;
      const buffer = Buffer.from(data.data.buffer, data.data.byteOffset, data.data.byteLength);
      if (type.kind === 'bytes')
        return (i) => new Uint8Array(data.data.subarray(offsets[i]!, offsets[i + 1]!));
      return (i) => buffer.toString('utf8', offsets[i]!, offsets[i + 1]!);
    }
    case 'list':
      return listReader(type, data.offsets, data.child);
    case 'struct':
      return structReader(type, data.children);
    case 'union': {
      if (type.kind !== 'union') throw new TypeError(`a ${type.kind} has no ${layoutOf(type)} column`);
      const readers = type.variants.map((variant, at) => valueReader(variant.type, data.children[at]!));
      return (i) => {
        const tag = data.typeIds[i]!;
        return { tag: type.variants[tag]!.name, value: readers[tag]!(i) };
      };
    }
  }
}

function listReader(type: LogicalType, offsets: Int32Array, child: Column): ValueReader {
  if (type.kind === 'map' && child.data.layout === 'struct') {
    const [keyColumn, valueColumn] = child.data.children;
    const key = valueReader(type.key.type, keyColumn!);
    const value = valueReader(type.value.type, valueColumn!);
    return (i) => slots(offsets, i, (at) => [key(at), value(at)]);
  }
  if (type.kind !== 'list') throw new TypeError(`a ${type.kind} has no list column`);
  const item = valueReader(type.item.type, child);
  return (i) => slots(offsets, i, item);
}

function slots(offsets: Int32Array, i: number, read: ValueReader): Value[] {
  const from = offsets[i]!;
  const items: Value[] = new Array(offsets[i + 1]! - from);
  for (let at = 0; at < items.length; at++) items[at] = read(from + at);
  return items;
}

function structReader(type: LogicalType, children: readonly Column[]): ValueReader {
  if (type.kind === 'timestamp') {
    const at = children[0]!.data;
    const offset = children[1]!.data;
    if (at.layout !== 'fixed' || offset.layout !== 'fixed')
      throw new TypeError('timestamp offset: wrong children');
    return (i) => ({ at: at.values[i] as bigint, offset: offset.values[i] as number });
  }
  if (type.kind !== 'struct') throw new TypeError(`a ${type.kind} has no struct column`);
  const readers = type.fields.map((f, at) => [f.name, valueReader(f.type, children[at]!)] as const);
  return (i) => {
    const value: { [name: string]: Value } = {};
    for (const [name, read] of readers) value[name] = read(i);
    return value;
  };
}
