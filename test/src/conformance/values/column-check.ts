/** Whether a column keeps to its type's layout and range. Works on the buffers, not on what readers make of them. */
import { isUtf8 } from 'node:buffer';
import {
  bitmapBytes,
  type Column,
  type Field,
  getBit,
  isValid,
  type Layout,
  type LayoutKind,
  type LogicalType,
  layoutOf,
  structFields,
  valueReader,
} from '@sluice/sdk';
import { shapeProblem } from './value-shape.js';

/** What kind of promise a problem breaks. */
export type ColumnProblem = { readonly kind: 'layout' | 'value' | 'null'; readonly text: string };

/** Problems of a column of `length` rows; those in its buffers first, for what they hold then means nothing. */
export function columnProblems(field: Field, column: Column, length: number): ColumnProblem[] {
  const layout = layoutProblem(field.type, column, length);
  if (layout !== undefined) return [{ kind: 'layout', text: `column ${field.name}: ${layout}` }];
  const nulls = nullProblem(field, column);
  const value = valueProblem(field, column);
  return [
    ...(nulls === undefined ? [] : [{ kind: 'null' as const, text: `column ${field.name}: ${nulls}` }]),
    ...(value === undefined ? [] : [{ kind: 'value' as const, text: `column ${field.name}: ${value}` }]),
  ];
}

function layoutProblem(type: LogicalType, column: Column, length: number): string | undefined {
  if (column.length !== length) return `length ${column.length}, the batch has ${length} rows`;
  const bytes = bitmapBytes(length);
  for (const name of ['validity', 'absent'] as const) {
    const bitmap = column[name];
    if (bitmap !== undefined && bitmap.byteLength < bytes)
      return `${name} has ${bitmap.byteLength} bytes, ${bytes} are needed`;
  }
  return bufferProblem(type, column.data, length) ?? marksProblem(column);
}

const ARRAYS: { readonly [L in LayoutKind]?: string } = {
  int8: 'Int8Array',
  int16: 'Int16Array',
  int32: 'Int32Array',
  int64: 'BigInt64Array',
  uint8: 'Uint8Array',
  uint16: 'Uint16Array',
  uint32: 'Uint32Array',
  uint64: 'BigUint64Array',
  float32: 'Float32Array',
  float64: 'Float64Array',
};
const NAMES: { readonly [L in LayoutKind]?: string } = { bytes16: 'bytes' };

function bufferProblem(type: LogicalType, data: Layout, length: number): string | undefined {
  const kind = layoutOf(type);
  const array = ARRAYS[kind];
  const wanted = array === undefined ? (NAMES[kind] ?? kind) : 'fixed';
  if (data.layout !== wanted) return `layout ${data.layout}, its type has ${wanted}`;
  switch (data.layout) {
    case 'none':
      return undefined;
    case 'bits':
      return data.values.byteLength < bitmapBytes(length)
        ? `${data.values.byteLength} bytes of bits`
        : undefined;
    case 'fixed': {
      const found = data.values.constructor.name;
      if (found !== array) return `values are a ${found}, its type has ${array}`;
      return data.values.length < length ? `${data.values.length} values for ${length} rows` : undefined;
    }
    case 'bytes':
      if (data.width !== 16) return `width ${data.width}, its type has 16`;
      return data.values.byteLength < 16 * length
        ? `${data.values.byteLength} bytes for ${length} rows`
        : undefined;
    case 'varlen':
      return offsetsProblem(data.offsets, length, data.data.byteLength);
    case 'list':
      return (
        offsetsProblem(data.offsets, length, data.child.length) ??
        childProblem(itemField(type), data.child, data.child.length)
      );
    case 'struct':
      return childrenProblem(structFields(type), data.children, length);
    case 'union':
      return unionProblem(type, data.typeIds, data.children, length);
  }
}

function offsetsProblem(offsets: Int32Array, length: number, end: number): string | undefined {
  if (offsets.length < length + 1) return `${offsets.length} offsets for ${length} rows`;
  if (offsets[0]! < 0) return `offsets start at ${offsets[0]}`;
  for (let i = 0; i < length; i++) {
    if (offsets[i + 1]! < offsets[i]!)
      return `offsets fall from ${offsets[i]} to ${offsets[i + 1]} at row ${i}`;
  }
  return offsets[length]! > end ? `offsets reach ${offsets[length]}, the data ends at ${end}` : undefined;
}

function itemField(type: LogicalType): Field {
  if (type.kind === 'list') return type.item;
  if (type.kind !== 'map') throw new TypeError(`a ${type.kind} has no items`);
  return { name: 'entries', type: { kind: 'struct', fields: [type.key, type.value] }, nullable: false };
}

function childProblem(field: Field, column: Column, length: number): string | undefined {
  const problem = layoutProblem(field.type, column, length);
  return problem === undefined ? undefined : `${field.name}: ${problem}`;
}

function childrenProblem(
  fields: readonly Field[],
  children: readonly Column[],
  length: number,
): string | undefined {
  if (children.length !== fields.length) return `${children.length} children, its type has ${fields.length}`;
  for (const [i, field] of fields.entries()) {
    const problem = childProblem(field, children[i]!, length);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unionProblem(
  type: LogicalType,
  typeIds: Int8Array,
  children: readonly Column[],
  length: number,
): string | undefined {
  if (type.kind !== 'union') throw new TypeError(`a ${type.kind} has no variants`);
  if (typeIds.length < length) return `${typeIds.length} type ids for ${length} rows`;
  for (let i = 0; i < length; i++) {
    if (typeIds[i]! < 0 || typeIds[i]! >= type.variants.length) return `type id ${typeIds[i]} at row ${i}`;
  }
  return childrenProblem(type.variants, children, length);
}

/** Absent and special rows sit under a null bit. */
function marksProblem(column: Column): string | undefined {
  const { absent, special, length } = column;
  if (absent !== undefined) {
    for (let i = 0; i < length; i++) {
      if (getBit(absent, i) && isValid(column, i)) return `row ${i} is absent and valid`;
    }
  }
  for (const row of special?.keys() ?? []) {
    if (!(row >= 0 && row < length)) return `special entry at row ${row} of ${length}`;
    if (isValid(column, row)) return `row ${row} is special and valid`;
  }
  return undefined;
}

/** Not-null fields have values everywhere, and under null bits the buffers are empty. */
function nullProblem(field: Field, column: Column): string | undefined {
  if (column.data.layout === 'none') return undefined;
  for (let i = 0; i < column.length; i++) {
    if (isValid(column, i)) continue;
    if (!field.nullable) return `row ${i} has no value, the field is not nullable`;
    const rest = restUnderNull(column.data, i);
    if (rest !== undefined) return `row ${i} is null and its buffer holds ${rest}`;
  }
  return undefined;
}

function restUnderNull(data: Layout, i: number): string | undefined {
  switch (data.layout) {
    case 'bits':
      return getBit(data.values, i) ? 'a set bit' : undefined;
    case 'fixed':
      return Number(data.values[i]) === 0 ? undefined : String(data.values[i]);
    case 'bytes':
      return data.values.subarray(i * data.width, (i + 1) * data.width).some((byte) => byte !== 0)
        ? 'bytes'
        : undefined;
    case 'varlen':
    case 'list':
      return data.offsets[i] === data.offsets[i + 1] ? undefined : 'a range that is not empty';
    default:
      return undefined;
  }
}

function valueProblem(field: Field, column: Column): string | undefined {
  const textual = textProblem(field.type, column);
  if (textual !== undefined) return textual;
  const read = valueReader(field.type, column);
  for (let i = 0; i < column.length; i++) {
    const value = read(i);
    const problem =
      shapeProblem(field, value) ?? (isValid(column, i) ? meaningProblem(field.type, value) : undefined);
    if (problem !== undefined) return `row ${i}: ${problem}`;
  }
  return undefined;
}

/** Text is UTF-8, value by value: a boundary may not cut a character. */
function textProblem(type: LogicalType, column: Column): string | undefined {
  const { data } = column;
  if (data.layout === 'list') return textProblem(itemField(type).type, data.child);
  if (data.layout === 'struct' || data.layout === 'union') {
    const fields = type.kind === 'union' ? type.variants : structFields(type);
    for (const [i, child] of data.children.entries()) {
      const problem = textProblem(fields[i]!.type, child);
      if (problem !== undefined) return problem;
    }
  }
  if (data.layout !== 'varlen' || type.kind === 'bytes') return undefined;
  for (let i = 0; i < column.length; i++) {
    if (!isUtf8(data.data.subarray(data.offsets[i], data.offsets[i + 1]))) return `row ${i} is not UTF-8`;
  }
  return undefined;
}

const DAY_US = 86_400_000_000n;

function meaningProblem(type: LogicalType, value: unknown): string | undefined {
  if (type.kind === 'time') {
    const day = type.unit === 'us' ? DAY_US : DAY_US * 1000n;
    const t = value as bigint;
    return t >= 0n && t <= day ? undefined : `time ${t} is outside the day`;
  }
  if (type.kind === 'timestamp' && type.zone === 'offset') {
    const { offset } = value as { offset: number };
    return Math.abs(offset) <= 24 * 60 ? undefined : `offset of ${offset} minutes`;
  }
  if (type.kind === 'json') {
    try {
      JSON.parse(value as string);
    } catch (error) {
      return `no JSON: ${String(error)}`;
    }
  }
  return undefined;
}
