/**
 * Apache Arrow and DuckDB, in Python, as readers and writers that share no code with ours. Both sides put tables
 * into one plain form (`comparable`), in which nothing is rounded: numbers are text, floats their bits.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LogicalType, Value } from '@sluice/sdk';
import { pythonWithReaders } from '@sluice/test';
import type { Table } from './memory-file.js';

/** A value in the plain form. */
export type Comparable = null | boolean | string | Comparable[];
/** Columns by name. */
export type ComparableTable = { [column: string]: Comparable[] };

export function comparableTable({ fields, values }: Table): ComparableTable {
  return Object.fromEntries(
    fields.map((field, i) => [field.name, values[i]!.map((value) => comparable(field.type, value))]),
  );
}

function comparable(type: LogicalType, value: Value): Comparable {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return type.kind === 'float' ? floatBits(value) : String(value);
  if (typeof value === 'bigint' || typeof value === 'string') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (type.kind === 'list') return (value as Value[]).map((item) => comparable(type.item.type, item));
  if (type.kind === 'map') {
    return (value as [Value, Value][]).map(([k, v]) => [
      comparable(type.key.type, k),
      comparable(type.value.type, v),
    ]);
  }
  const members = value as { readonly [name: string]: Value };
  if (type.kind === 'struct') return type.fields.map((field) => comparable(field.type, members[field.name]!));
  // Intervals and timestamps with offset are structs of numbers.
  return Object.values(members).map(String);
}

function floatBits(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(Number.isNaN(value) ? Number.NaN : value);
  return bytes.toString('hex');
}

/** Puts an Arrow table into the plain form. */
const PLAIN_FORM = `
import json, struct, sys, uuid
import pyarrow as pa
import pyarrow.parquet as pq

def floats(values):
    return [None if v is None else '7ff8000000000000' if v != v else struct.pack('>d', v).hex() for v in values]

def plain(a):
    if isinstance(a, pa.ChunkedArray):
        return [v for chunk in a.chunks for v in plain(chunk)]
    t = a.type
    if isinstance(t, pa.BaseExtensionType):
        if t.extension_name == 'arrow.uuid':
            return [None if v is None else str(uuid.UUID(bytes=v)) for v in a.storage.to_pylist()]
        return plain(a.storage)
    valid = a.is_valid().to_pylist()
    if pa.types.is_dictionary(t):
        return plain(a.dictionary_decode())
    if pa.types.is_struct(t):
        members = [plain(a.field(i)) for i in range(t.num_fields)]
        return [list(row) if ok else None for ok, row in zip(valid, zip(*members))]
    if pa.types.is_map(t):
        items = list(map(list, zip(plain(a.keys), plain(a.items))))
        offsets = a.offsets.to_pylist()
        return [items[offsets[i]:offsets[i + 1]] if ok else None for i, ok in enumerate(valid)]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        items = plain(a.values)
        offsets = a.offsets.to_pylist()
        return [items[offsets[i]:offsets[i + 1]] if ok else None for i, ok in enumerate(valid)]
    if pa.types.is_boolean(t) or pa.types.is_null(t):
        return a.to_pylist()
    if pa.types.is_floating(t):
        return floats([None if v is None else float(v) for v in a.to_pylist()])
    if pa.types.is_date32(t) or pa.types.is_time32(t):
        a = a.view(pa.int32())
    elif pa.types.is_temporal(t):
        a = a.view(pa.int64())
    elif pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return [None if v is None else v.hex() for v in a.to_pylist()]
    elif pa.types.is_decimal(t):
        return [None if v is None else format(v, 'f') for v in a.to_pylist()]
    return [None if v is None else str(v) for v in a.to_pylist()]

def show(table):
    table.validate()
    json.dump({name: plain(table[name]) for name in table.column_names}, sys.stdout)
`;

/** Runs a Python program, after which `arguments` are its `sys.argv[1:]`; returns what it printed. */
export async function runPython(program: string, ...args: string[]): Promise<string> {
  const python = await pythonWithReaders();
  const options = { maxBuffer: 1 << 30 };
  const { stdout } = await promisify(execFile)(python, ['-c', PLAIN_FORM + program, ...args], options);
  return stdout;
}

/** A file as Arrow reads it. */
export async function readWithArrow(path: string): Promise<ComparableTable> {
  return JSON.parse(await runPython('show(pq.read_table(sys.argv[1]))', path)) as ComparableTable;
}

/** A file as DuckDB reads it. */
export async function readWithDuckdb(path: string): Promise<ComparableTable> {
  const program = `
import duckdb
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
show(connection.execute("SELECT * FROM read_parquet('" + sys.argv[1] + "')").fetch_arrow_table())
`;
  return JSON.parse(await runPython(program, path)) as ComparableTable;
}
