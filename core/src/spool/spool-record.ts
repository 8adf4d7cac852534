/**
 * Messages as bytes of a spool. Each record is its length and checksum (4 bytes each, big-endian), then the message in
 * the format of Node's structured clone, which later versions of Node read too.
 */
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import {
  Batch,
  type Column,
  type Json,
  type Layout,
  type Message,
  type RejectedRow,
  SluiceError,
  type StreamSchema,
} from '@sluice/sdk';

export const HEADER_BYTES = 8;

/** What precedes the messages of a segment: where its first one begins. */
export interface SegmentStart {
  readonly kind: 'start';
  readonly position: Json;
}

export type SpoolRecord = Message | SegmentStart;

interface StoredRows {
  readonly schema: StreamSchema;
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

interface StoredBatch extends StoredRows {
  readonly kind: 'batch';
  readonly op: Batch['op'];
  readonly byteSize: number;
  readonly before?: StoredRows;
  readonly rejected: readonly {
    readonly before: number;
    readonly error: StoredError;
    readonly payload: Json;
  }[];
}

type StoredError = Pick<SluiceError, 'code' | 'class' | 'message' | 'help' | 'details'>;

export function recordBytes(record: SpoolRecord): Buffer {
  const body = serialize(record.kind === 'batch' ? stored(record) : record);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([header, body]);
}

/** Length of the body behind a header. */
export function bodyLength(header: Buffer): number {
  return header.readUInt32BE(0);
}

/** The record of a header and its body; undefined where they do not belong together. */
export function parseRecord(header: Buffer, body: Buffer): SpoolRecord | undefined {
  if (header.readUInt32BE(4) !== crc32(body)) return undefined;
  const record = deserialize(body) as StoredBatch | Exclude<SpoolRecord, Batch>;
  return record.kind === 'batch' ? batchOf(record) : record;
}

function stored(batch: Batch): StoredBatch {
  const { op, byteSize, before, rejected } = batch;
  return {
    kind: 'batch',
    ...rowsOf(batch),
    op,
    byteSize,
    ...(before && { before: rowsOf(before) }),
    rejected: rejected.map(({ before, error, payload }) => ({ before, error: errorOf(error), payload })),
  };
}

function rowsOf(batch: Batch): StoredRows {
  return { schema: batch.schema, rowCount: batch.rowCount, columns: batch.columns().map(plain) };
}

/** A column without its function. */
function plain({ select, data, ...column }: Column): Column {
  return { ...column, data: plainLayout(data) };
}

function plainLayout(data: Layout): Layout {
  switch (data.layout) {
    case 'list':
      return { ...data, child: plain(data.child) };
    case 'struct':
    case 'union':
      return { ...data, children: data.children.map(plain) };
    default:
      return data;
  }
}

function errorOf({ code, class: errorClass, message, help, details }: SluiceError): StoredError {
  return { code, class: errorClass, message, help, details };
}

function batchOf({ schema, columns, rowCount, op, byteSize, before, rejected }: StoredBatch): Batch {
  return Batch.ofColumns(schema, columns, rowCount, {
    op,
    byteSize,
    ...(before && { before: Batch.ofColumns(before.schema, before.columns, before.rowCount) }),
    rejected: rejected.map(
      ({ before, error, payload }): RejectedRow => ({
        before,
        payload,
        error: new SluiceError({ ...error, name: error.code, title: '' }, error.message, {
          details: error.details,
        }),
      }),
    ),
  });
}
