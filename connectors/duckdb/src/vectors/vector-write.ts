/**
 * From columns to DuckDB's vectors. A writer is compiled once per column and called per chunk of 2048 rows; it
 * copies typed arrays as they are where the layouts agree, else puts the vector together in scratch memory. Layouts
 * of vectors: https://duckdb.org/docs/stable/clients/c/vector
 */
import type { DuckDBType } from '@duckdb/node-api';
import type { Vector } from '@duckdb/node-bindings';
import {
  type Bitmap,
  type Column,
  formatDecimal,
  formatType,
  getBit,
  type Layout,
  type LogicalType,
  powerOfTen,
  readInt128,
} from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import { duckdbErrors } from '../errors.js';
import { listWriter, structWriter, unionWriter } from './nested-write.js';
import { Scratch } from './scratch.js';
import { stringWriter } from './string-write.js';

/** Writes rows `from` to `from + count` of a column to the front of a vector; undefined writes nulls. */
export type VectorWriter = (vector: Vector, column: Column | undefined, from: number, count: number) => void;

/** Writes the values of a layout; rows under a null bit may hold anything. */
export type ValuesWriter = (vector: Vector, data: Layout, from: number, count: number) => void;

/** A DuckDB type and how columns get into vectors of it. */
export interface VectorType {
  readonly type: DuckDBType;
  readonly write: VectorWriter;
}

const scratch = new Scratch();

/** The vector type of a logical type; the same choice as `columnType`, JSON being text until it is inserted. */
export function vectorType(type: LogicalType, driver: Driver): VectorType {
  const { api } = driver;
  const plain = (duckdbType: DuckDBType, write: ValuesWriter): VectorType => ({
    type: duckdbType,
    write: withNulls(driver, write),
  });
  switch (type.kind) {
    case 'null':
    case 'string':
    case 'json':
    case 'enum':
    case 'native':
      return plain(api.VARCHAR, stringWriter(driver, scratch, true));
    case 'bytes':
      return plain(api.BLOB, stringWriter(driver, scratch, false));
    case 'bool':
      return plain(api.BOOLEAN, boolWriter(driver));
    case 'int':
      return plain(intType(type, driver), copyWriter(driver, type.bits / 8));
    case 'float':
      return plain(type.bits === 32 ? api.FLOAT : api.DOUBLE, copyWriter(driver, type.bits / 8));
    case 'decimal':
      return decimalVector(type, driver, plain);
    case 'uuid':
      return plain(api.UUID, uuidWriter(driver));
    case 'date':
      return plain(api.DATE, copyWriter(driver, 4));
    case 'time':
      return plain(type.unit === 'us' ? api.TIME : api.TIME_NS, copyWriter(driver, 8));
    case 'timestamp':
      return timestampVector(type, driver, plain);
    case 'interval':
      return plain(api.INTERVAL, intervalWriter(driver));
    case 'duration':
      if (type.unit === 'ns') return plain(api.BIGINT, copyWriter(driver, 8));
      return plain(api.INTERVAL, durationWriter(driver));
    default:
      return nestedVector(type, driver, plain);
  }
}

type Plain = (type: DuckDBType, write: ValuesWriter) => VectorType;

function nestedVector(type: LogicalType, driver: Driver, plain: Plain): VectorType {
  const { api } = driver;
  const inner = (member: LogicalType) => vectorType(member, driver);
  switch (type.kind) {
    case 'list': {
      const item = inner(type.item.type);
      return plain(api.LIST(item.type), listWriter(driver, scratch, item.write));
    }
    case 'map': {
      const [key, value] = [inner(type.key.type), inner(type.value.type)];
      const entries = structWriter(driver, ownNulls(driver), [key.write, value.write]);
      return plain(api.MAP(key.type, value.type), listWriter(driver, scratch, entries));
    }
    case 'struct': {
      const members = type.fields.map((f) => inner(f.type));
      const named = Object.fromEntries(type.fields.map((f, i) => [f.name, members[i]!.type]));
      const writers = members.map((member) => member.write);
      return { type: api.STRUCT(named), write: structWriter(driver, ownNulls(driver), writers) };
    }
    case 'union': {
      const members = type.variants.map((f) => inner(f.type));
      const named = Object.fromEntries(type.variants.map((f, i) => [f.name, members[i]!.type]));
      const tag = withNulls(driver, copyWriter(driver, 1));
      const writers = members.map((member) => member.write);
      return { type: api.UNION(named), write: unionWriter(driver, ownNulls(driver), tag, writers) };
    }
    default:
      throw duckdbErrors.noPlace(`${formatType(type)} has no counterpart`);
  }
}

/** Writes values and, where the column has nulls, validity: a bit a row, least significant first, as in Arrow. */
function withNulls({ bindings }: Driver, write: ValuesWriter): VectorWriter {
  return (vector, column, from, count) => {
    if (column === undefined || column.data.layout === 'none') {
      scratch.reserve((count + 7) >> 3);
      scratch.bytes.fill(0, 0, (count + 7) >> 3);
      bindings.vector_ensure_validity_writable(vector);
      bindings.copy_data_to_vector_validity(vector, 0, scratch.buffer, 0, (count + 7) >> 3);
      return;
    }
    write(vector, column.data, from, count);
    if (column.validity !== undefined) copyValidity(bindings, vector, column.validity, from, count);
  };
}

/** The nulls of a struct or union itself, which has no values of its own. */
function ownNulls(driver: Driver): VectorWriter {
  return withNulls(driver, () => undefined);
}

function copyValidity(
  bindings: Driver['bindings'],
  vector: Vector,
  bits: Bitmap,
  from: number,
  count: number,
): void {
  const bytes = (count + 7) >> 3;
  bindings.vector_ensure_validity_writable(vector);
  const shift = from & 7;
  const first = from >> 3;
  if (shift === 0) {
    bindings.copy_data_to_vector_validity(
      vector,
      0,
      bits.buffer as ArrayBuffer,
      bits.byteOffset + first,
      bytes,
    );
    return;
  }
  scratch.reserve(bytes);
  for (let i = 0; i < bytes; i++) {
    scratch.bytes[i] = (bits[first + i]! >> shift) | ((bits[first + i + 1] ?? 0) << (8 - shift));
  }
  bindings.copy_data_to_vector_validity(vector, 0, scratch.buffer, 0, bytes);
}

/** Values whose layout in the column is DuckDB's. */
function copyWriter({ bindings }: Driver, width: number): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'fixed' | 'bytes' }>;
    bindings.copy_data_to_vector(
      vector,
      0,
      values.buffer as ArrayBuffer,
      values.byteOffset + from * width,
      count * width,
    );
  };
}

function boolWriter({ bindings }: Driver): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'bits' }>;
    scratch.reserve(count);
    for (let i = 0; i < count; i++) scratch.bytes[i] = getBit(values, from + i) ? 1 : 0;
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count);
  };
}

function intType(type: LogicalType & { kind: 'int' }, { api }: Driver): DuckDBType {
  const signed = { 8: api.TINYINT, 16: api.SMALLINT, 32: api.INTEGER, 64: api.BIGINT };
  const unsigned = { 8: api.UTINYINT, 16: api.USMALLINT, 32: api.UINTEGER, 64: api.UBIGINT };
  return (type.signed ? signed : unsigned)[type.bits];
}

/** Decimals lie in the narrowest integer that holds their digits: 16, 32, 64 or 128 bits. */
function decimalVector(type: LogicalType & { kind: 'decimal' }, driver: Driver, plain: Plain): VectorType {
  const { precision, scale = 0 } = type;
  if (precision === undefined || precision > 38 || scale < 0 || scale > precision) {
    return plain(driver.api.VARCHAR, decimalText(driver, { scale }));
  }
  const decimal = driver.api.DECIMAL(precision, scale);
  if (precision > 18) return plain(decimal, copyWriter(driver, 16));
  if (precision > 9) return plain(decimal, copyWriter(driver, 8));
  return plain(decimal, narrowWriter(driver, precision > 4 ? 4 : 2));
}

/** Decimals that DuckDB cannot hold: text already, or made text here. */
function decimalText(driver: Driver, { scale = 0 }: { scale?: number }): ValuesWriter {
  const write = stringWriter(driver, scratch, true);
  return (vector, data, from, count) => {
    if (data.layout === 'varlen') return write(vector, data, from, count);
    const values = (data as Extract<Layout, { layout: 'fixed' | 'bytes' }>).values;
    const texts: Buffer[] = [];
    const offsets = new Int32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const unscaled =
        data.layout === 'bytes'
          ? readInt128(values as Uint8Array, (from + i) * 16)
          : (values[from + i] as bigint);
      const text =
        scale < 0 ? formatDecimal(unscaled * powerOfTen(-scale), 0) : formatDecimal(unscaled, scale);
      texts.push(Buffer.from(text));
      offsets[i + 1] = offsets[i]! + text.length;
    }
    write(vector, { layout: 'varlen', offsets, data: Buffer.concat(texts) }, 0, count);
  };
}

/** The low bytes of 64-bit integers, which hold all of a decimal of few digits. */
function narrowWriter({ bindings }: Driver, width: 2 | 4): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'fixed' }>;
    const halves = new Int32Array(values.buffer, values.byteOffset + from * 8, count * 2);
    scratch.reserve(count * width);
    const into = width === 4 ? scratch.words : new Int16Array(scratch.buffer);
    for (let i = 0; i < count; i++) into[i] = halves[i * 2]!;
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * width);
  };
}

/** A UUID is a 128-bit integer, little endian, with its highest bit turned over so that it sorts as text does. */
function uuidWriter({ bindings }: Driver): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'bytes' }>;
    scratch.reserve(count * 16);
    const { words } = scratch;
    for (let i = 0; i < count; i++) {
      const at = (from + i) * 16;
      words[i * 4 + 3] = bigEndian(values, at) ^ 0x80000000;
      words[i * 4 + 2] = bigEndian(values, at + 4);
      words[i * 4 + 1] = bigEndian(values, at + 8);
      words[i * 4] = bigEndian(values, at + 12);
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 16);
  };
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function timestampVector(
  type: LogicalType & { kind: 'timestamp' },
  driver: Driver,
  plain: Plain,
): VectorType {
  const { api } = driver;
  if (type.zone === 'none')
    return plain(type.unit === 'us' ? api.TIMESTAMP : api.TIMESTAMP_NS, copyWriter(driver, 8));
  const instant = type.unit === 'us' ? copyWriter(driver, 8) : microsecondWriter(driver);
  if (type.zone === 'utc') return plain(api.TIMESTAMPTZ, instant);
  const members = [withNulls(driver, instant), withNulls(driver, copyWriter(driver, 2))];
  const write = structWriter(driver, ownNulls(driver), members);
  return { type: api.STRUCT({ at: api.TIMESTAMPTZ, offset: api.SMALLINT }), write };
}

/** Nanoseconds cut to microseconds, towards the past. Infinity stays infinity. */
function microsecondWriter({ bindings }: Driver): ValuesWriter {
  return (vector, data, from, count) => {
    const values = (data as Extract<Layout, { layout: 'fixed' }>).values as BigInt64Array;
    scratch.reserve(count * 8);
    const into = new BigInt64Array(scratch.buffer);
    for (let i = 0; i < count; i++) {
      const nanos = values[from + i]!;
      const rest = ((nanos % 1000n) + 1000n) % 1000n;
      into[i] = nanos === INFINITE || nanos === -INFINITE ? nanos : (nanos - rest) / 1000n;
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 8);
  };
}

/** What DuckDB keeps for `infinity` in a 64-bit timestamp; `-infinity` is its negative. */
export const INFINITE = 2n ** 63n - 1n;
/** The same for a date. */
export const INFINITE_DAY = 2 ** 31 - 1;

/** Months and days stand as they are; nanoseconds become microseconds. */
function intervalWriter({ bindings }: Driver): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'bytes' }>;
    scratch.reserve(count * 16);
    scratch.bytes.set(values.subarray(from * 16, (from + count) * 16));
    const parts = new BigInt64Array(scratch.buffer, 0, count * 2);
    for (let i = 0; i < count; i++) {
      const nanos = parts[i * 2 + 1]!;
      if (nanos % 1000n !== 0n) {
        throw duckdbErrors.specialRefused(`an interval of ${nanos} ns has parts of a microsecond`, {
          details: { row: from + i },
        });
      }
      parts[i * 2 + 1] = nanos / 1000n;
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 16);
  };
}

function durationWriter({ bindings }: Driver): ValuesWriter {
  return (vector, data, from, count) => {
    const { values } = data as Extract<Layout, { layout: 'fixed' }>;
    scratch.reserve(count * 16);
    const parts = new BigInt64Array(scratch.buffer, 0, count * 2);
    for (let i = 0; i < count; i++) {
      parts[i * 2] = 0n;
      parts[i * 2 + 1] = values[from + i] as bigint;
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 16);
  };
}
