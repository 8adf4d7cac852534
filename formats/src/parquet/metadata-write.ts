/** Parquet's metadata structures to Thrift bytes; member numbers are those of `parquet.thrift`. */
import {
  type ColumnChunkMeta,
  Encoding,
  type FileMeta,
  type LogicalAnnotation,
  PageKind,
  type ParquetTimeUnit,
  type RowGroupMeta,
  type SchemaElement,
  type Statistics,
} from './format.js';
import { Compact, ThriftWriter } from './thrift-write.js';

/** The footer: FileMetaData. */
export function encodeFileMeta(meta: FileMeta): Uint8Array {
  const w = new ThriftWriter();
  w.rawStruct(() => {
    w.i32(1, 2);
    w.list(2, Compact.STRUCT, meta.schema.length, (i) => writeElement(w, meta.schema[i]!));
    w.i64(3, meta.rows);
    w.list(4, Compact.STRUCT, meta.rowGroups.length, (i) => writeRowGroup(w, meta.rowGroups[i]!, i));
    const pairs = [...meta.keyValue];
    if (pairs.length > 0) {
      w.list(5, Compact.STRUCT, pairs.length, (i) =>
        w.rawStruct(() => {
          w.string(1, pairs[i]![0]);
          w.string(2, pairs[i]![1]);
        }),
      );
    }
    if (meta.createdBy !== undefined) w.string(6, meta.createdBy);
    // TypeDefinedOrder for every leaf: without it readers do not trust min and max.
    const leaves = meta.schema.filter((element) => element.children === undefined).length;
    w.list(7, Compact.STRUCT, leaves, () => w.rawStruct(() => w.struct(1, () => {})));
  });
  return w.bytes();
}

/** PageHeader of a data page, version 1. */
export function encodeDataPageHeader(page: {
  values: number;
  encoding: number;
  uncompressed: number;
  compressed: number;
}): Uint8Array {
  const w = new ThriftWriter();
  w.rawStruct(() => {
    w.i32(1, PageKind.DATA);
    w.i32(2, page.uncompressed);
    w.i32(3, page.compressed);
    w.struct(5, () => {
      w.i32(1, page.values);
      w.i32(2, page.encoding);
      w.i32(3, Encoding.RLE);
      w.i32(4, Encoding.RLE);
    });
  });
  return w.bytes();
}

/** PageHeader of a dictionary page. */
export function encodeDictionaryPageHeader(page: {
  values: number;
  uncompressed: number;
  compressed: number;
}): Uint8Array {
  const w = new ThriftWriter();
  w.rawStruct(() => {
    w.i32(1, PageKind.DICTIONARY);
    w.i32(2, page.uncompressed);
    w.i32(3, page.compressed);
    w.struct(7, () => {
      w.i32(1, page.values);
      w.i32(2, Encoding.PLAIN);
    });
  });
  return w.bytes();
}

function writeElement(w: ThriftWriter, element: SchemaElement): void {
  w.rawStruct(() => {
    if (element.type !== undefined) w.i32(1, element.type);
    if (element.typeLength !== undefined) w.i32(2, element.typeLength);
    if (element.repetition !== undefined) w.i32(3, element.repetition);
    w.string(4, element.name);
    if (element.children !== undefined) w.i32(5, element.children);
    if (element.converted !== undefined) w.i32(6, element.converted);
    if (element.scale !== undefined) w.i32(7, element.scale);
    if (element.precision !== undefined) w.i32(8, element.precision);
    const { logical } = element;
    if (logical !== undefined && logical.kind !== 'other') w.struct(10, () => writeLogical(w, logical));
  });
}

/** Members of the LogicalType union. */
export const LOGICAL_IDS = {
  string: 1,
  map: 2,
  list: 3,
  enum: 4,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  int: 10,
  unknown: 11,
  json: 12,
  bson: 13,
  uuid: 14,
  float16: 15,
} as const;

const UNIT_IDS: { readonly [unit in ParquetTimeUnit]: number } = { ms: 1, us: 2, ns: 3 };

function writeLogical(w: ThriftWriter, logical: Exclude<LogicalAnnotation, { kind: 'other' }>): void {
  w.struct(LOGICAL_IDS[logical.kind], () => {
    if (logical.kind === 'decimal') {
      w.i32(1, logical.scale);
      w.i32(2, logical.precision);
    } else if (logical.kind === 'time' || logical.kind === 'timestamp') {
      w.bool(1, logical.utc);
      w.struct(2, () => w.struct(UNIT_IDS[logical.unit], () => {}));
    } else if (logical.kind === 'int') {
      w.i8(1, logical.bits);
      w.bool(2, logical.signed);
    }
  });
}

function writeRowGroup(w: ThriftWriter, group: RowGroupMeta, ordinal: number): void {
  w.rawStruct(() => {
    w.list(1, Compact.STRUCT, group.columns.length, (i) => writeChunk(w, group.columns[i]!));
    w.i64(2, group.uncompressedSize);
    w.i64(3, group.rows);
    w.i64(5, group.offset);
    w.i64(6, group.compressedSize);
    if (ordinal < 0x8000) w.i16(7, ordinal);
  });
}

function writeChunk(w: ThriftWriter, chunk: ColumnChunkMeta): void {
  w.rawStruct(() => {
    // file_offset: deprecated, to be written as 0.
    w.i64(2, 0);
    w.struct(3, () => {
      w.i32(1, chunk.type);
      w.list(2, Compact.I32, chunk.encodings.length, (i) => w.rawI32(chunk.encodings[i]!));
      w.list(3, Compact.BINARY, chunk.path.length, (i) => w.rawString(chunk.path[i]!));
      w.i32(4, chunk.codec);
      w.i64(5, chunk.values);
      w.i64(6, chunk.uncompressedSize);
      w.i64(7, chunk.compressedSize);
      w.i64(9, chunk.dataPageOffset);
      if (chunk.dictionaryPageOffset !== undefined) w.i64(11, chunk.dictionaryPageOffset);
      const { statistics } = chunk;
      if (statistics !== undefined) w.struct(12, () => writeStatistics(w, statistics));
    });
  });
}

function writeStatistics(w: ThriftWriter, statistics: Statistics): void {
  w.i64(3, statistics.nullCount);
  if (statistics.max !== undefined) w.binary(5, statistics.max);
  if (statistics.min !== undefined) w.binary(6, statistics.min);
  if (statistics.max !== undefined) w.bool(7, statistics.maxExact ?? true);
  if (statistics.min !== undefined) w.bool(8, statistics.minExact ?? true);
}
