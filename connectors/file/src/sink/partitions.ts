/** Rows of a batch by the folders that they belong in: see hive-folders.ts. */
import {
  type Batch,
  columnValues,
  type Field,
  formatDate,
  formatType,
  type LogicalType,
  Special,
  type StreamSchema,
  streamSchema,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { hiveFolder } from '../hive-folders.js';
import { fileSinkErrors } from './sink-errors.js';

/** Of a folder's name, in every file system that is in use. */
export const MOST_NAME_BYTES = 255;
const KINDS: ReadonlySet<LogicalType['kind']> = new Set([
  'bool',
  'int',
  'decimal',
  'string',
  'enum',
  'uuid',
  'date',
]);

/** Rows of one folder. */
export interface PartitionRows {
  /** Below the target: `year=2024/month=1`; empty where the target has no partitions. */
  readonly folder: string;
  /** Without the columns that the folder says. */
  readonly rows: Batch;
}

export class Partitions {
  /** What stands in the files. */
  readonly fields: readonly Field[];
  private readonly by: readonly Field[];
  /** Places of the files' columns in the schema. */
  private readonly kept: readonly number[];
  private schema: StreamSchema | undefined;

  /** Throws `SLUICE-FILESINK-0009` when a column cannot make folders. */
  constructor({ stream, fields }: StreamSchema, columns: readonly string[]) {
    this.by = columns.map((name) => {
      const f = fields.find((known) => known.name === name);
      const details = { stream, column: name };
      if (f === undefined) throw refused(`partitionBy: stream ${stream} has no column ${name}`, details);
      if (KINDS.has(f.type.kind)) return f;
      throw refused(`partitionBy: ${name} of stream ${stream} is ${formatType(f.type)}`, details);
    });
    const indices = fields.map((_, i) => i);
    this.kept = indices.filter((i) => !columns.includes(fields[i]!.name));
    this.fields = this.kept.map((i) => fields[i]!);
    if (this.fields.length === 0) {
      throw refused(`partitionBy: no column of stream ${stream} is left for the files`, { stream });
    }
  }

  /** The rows of each folder, in their order. Throws `SLUICE-FILESINK-0011` when a value makes no name. */
  *split(batch: Batch): Generator<PartitionRows> {
    if (this.by.length === 0) {
      yield { folder: '', rows: batch };
      return;
    }
    this.schema ??= streamSchema(batch.schema.stream, this.fields);
    for (const [folder, rows] of this.rowsByFolder(batch)) {
      yield { folder, rows: batch.derive(this.schema, this.kept, Uint32Array.from(rows)) };
    }
  }

  private rowsByFolder(batch: Batch): Map<string, number[]> {
    const folders = this.by.map((f) => folderNames(f, batch));
    const found = new Map<string, number[]>();
    for (let row = 0; row < batch.rowCount; row++) {
      const folder = folders.map((names) => names[row]!).join('/');
      const rows = found.get(folder);
      if (rows === undefined) found.set(folder, [row]);
      else rows.push(row);
    }
    return found;
  }
}

/** The name of each row's folder. */
function folderNames(field: Field, batch: Batch): string[] {
  const index = batch.schema.fields.findIndex(({ name }) => name === field.name);
  const known = new Map<Value, string>();
  return columnValues(field.type, batch.column(index)).map((value) => {
    const name = known.get(value) ?? folderName(field, value);
    known.set(value, name);
    return name;
  });
}

function folderName(field: Field, value: Value): string {
  const details = { column: field.name };
  if (value === UNCHANGED || value instanceof Special) {
    const what = value === UNCHANGED ? 'was not sent (UNCHANGED)' : `is ${value.text}`;
    throw fileSinkErrors.partitionValue(`partitionBy: a value of ${field.name} ${what}`, { details });
  }
  const text = value === null ? null : field.type.kind === 'date' ? formatDate(Number(value)) : String(value);
  const name = hiveFolder(field.name, text);
  if (Buffer.byteLength(name) <= MOST_NAME_BYTES) return name;
  throw fileSinkErrors.partitionValue(
    `partitionBy: "${name.slice(0, 100)}…" is no name of a folder: it has more than ${MOST_NAME_BYTES} bytes`,
    { details },
  );
}

function refused(message: string, details: { readonly [name: string]: string }): Error {
  return fileSinkErrors.partitionColumn(message, { details });
}
