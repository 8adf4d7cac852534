/** Parquet files in memory, for tests. */
import { type Column, columnOf, columnValues, type Field, type Value } from '@sluice/sdk';
import type { ByteSource } from '../byte-source.js';
import { openParquet, type ParquetReadOptions } from '../file.js';
import { ParquetWriter, type ParquetWriterOptions } from '../writer.js';

/** A table as values, one array a column. */
export interface Table {
  readonly fields: readonly Field[];
  readonly values: readonly (readonly Value[])[];
}

export function sourceOf(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** The file of batches of columns. */
export async function fileOf(
  fields: readonly Field[],
  batches: Iterable<{ readonly columns: readonly Column[]; readonly rows: number }>,
  options?: ParquetWriterOptions,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(fields, async (bytes) => void parts.push(bytes), options);
  for (const { columns, rows } of batches) await writer.write(columns, rows);
  const { bytes } = await writer.finish();
  const file = Buffer.concat(parts);
  if (file.byteLength !== bytes)
    throw new Error(`the writer says ${bytes} bytes and wrote ${file.byteLength}`);
  return file;
}

/** The file of a table, written in batches of so many rows. */
export async function fileOfTable(
  { fields, values }: Table,
  options?: ParquetWriterOptions,
  batchRows = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const rows = values[0]?.length ?? 0;
  const size = Math.max(1, Math.min(batchRows, rows));
  const batches = Array.from({ length: Math.ceil(rows / size) }, (_, i) => {
    const part = values.map((column) => column.slice(i * size, (i + 1) * size));
    return { columns: fields.map((field, at) => columnOf(field, part[at]!)), rows: part[0]!.length };
  });
  return fileOf(fields, batches, options);
}

/** Everything that a file holds. */
export async function readTable(
  bytes: Uint8Array,
  options: ParquetReadOptions & { batchRows?: number } = {},
): Promise<Table> {
  const file = await openParquet(sourceOf(bytes), options);
  const values: Value[][] = file.fields.map(() => []);
  for (let group = 0; group < file.rowGroups.length; group++) {
    for await (const batch of file.readRowGroup(group, { batchRows: options.batchRows ?? 1000 })) {
      for (const [i, column] of batch.columns.entries()) {
        if (column.length !== batch.rows)
          throw new Error(`${column.length} rows in a batch of ${batch.rows}`);
        for (const value of columnValues(file.fields[i]!.type, column)) values[i]!.push(value);
      }
    }
  }
  return { fields: file.fields, values };
}
