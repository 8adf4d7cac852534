/** Parquet's metadata structures from Thrift bytes; member numbers are those of `parquet.thrift`. */
import { Damage, sound } from './damage.js';
import {
  type ColumnChunkMeta,
  type FileMeta,
  type LogicalAnnotation,
  PageKind,
  type ParquetTimeUnit,
  type RowGroupMeta,
  type SchemaElement,
} from './format.js';
import { LOGICAL_IDS } from './metadata-write.js';
import { ThriftReader } from './thrift-read.js';

/** Reads FileMetaData. */
export function decodeFileMeta(bytes: Uint8Array): FileMeta {
  const r = new ThriftReader(bytes);
  let schema: SchemaElement[] | undefined;
  let rows: number | undefined;
  let rowGroups: RowGroupMeta[] | undefined;
  const keyValue = new Map<string, string>();
  let createdBy: string | undefined;
  r.struct((id, type) => {
    if (id === 2) schema = r.list(type, (t) => readElement(r, t));
    else if (id === 3) rows = r.size(type);
    else if (id === 4) rowGroups = r.list(type, (t) => readRowGroup(r, t));
    else if (id === 5)
      for (const [key, value] of r.list(type, (t) => readPair(r, t))) keyValue.set(key, value);
    else if (id === 6) createdBy = r.string(type);
    else r.skip(type);
  });
  sound(schema !== undefined && rows !== undefined && rowGroups !== undefined, 'the footer lacks a part');
  return { schema, rows, rowGroups, keyValue, ...(createdBy !== undefined && { createdBy }) };
}

export interface PageHeader {
  readonly kind: number;
  readonly uncompressed: number;
  readonly compressed: number;
  /** Entries; of a dictionary page, values. */
  readonly values: number;
  readonly encoding: number;
  /** Of data pages, version 1. */
  readonly defEncoding: number;
  readonly repEncoding: number;
  /** Of data pages, version 2: bytes of levels in front of the values, never compressed. */
  readonly repBytes: number;
  readonly defBytes: number;
  readonly isCompressed: boolean;
}

/** Reads a PageHeader that starts at `at`; `end` is the byte behind it. Throws ThriftEnd when bytes are missing. */
export function decodePageHeader(bytes: Uint8Array, at: number): { header: PageHeader; end: number } {
  const r = new ThriftReader(bytes, at);
  const header = {
    kind: -1,
    uncompressed: -1,
    compressed: -1,
    values: -1,
    encoding: -1,
    defEncoding: -1,
    repEncoding: -1,
    repBytes: 0,
    defBytes: 0,
    isCompressed: true,
  };
  r.struct((id, type) => {
    if (id === 1) header.kind = r.int(type);
    else if (id === 2) header.uncompressed = r.size(type);
    else if (id === 3) header.compressed = r.size(type);
    else if (id === 5 || id === 7 || id === 8) r.structMember(type, PAGE_MEMBERS[id](r, header));
    else r.skip(type);
  });
  sound(header.compressed >= 0 && header.uncompressed >= 0, 'a page header lacks its sizes');
  const hasValues = header.kind !== PageKind.INDEX;
  sound(!hasValues || header.values >= 0, 'a page header lacks the number of values');
  return { header, end: r.at };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MemberReader = (r: ThriftReader, header: Mutable<PageHeader>) => (id: number, type: number) => void;

/** DataPageHeader, DictionaryPageHeader and DataPageHeaderV2. */
const PAGE_MEMBERS: { readonly [id in 5 | 7 | 8]: MemberReader } = {
  5: (r, header) => (id, type) => {
    if (id === 1) header.values = r.size(type);
    else if (id === 2) header.encoding = r.int(type);
    else if (id === 3) header.defEncoding = r.int(type);
    else if (id === 4) header.repEncoding = r.int(type);
    else r.skip(type);
  },
  7: (r, header) => (id, type) => {
    if (id === 1) header.values = r.size(type);
    else if (id === 2) header.encoding = r.int(type);
    else r.skip(type);
  },
  8: (r, header) => (id, type) => {
    if (id === 1) header.values = r.size(type);
    else if (id === 4) header.encoding = r.int(type);
    else if (id === 5) header.defBytes = r.size(type);
    else if (id === 6) header.repBytes = r.size(type);
    else if (id === 7) header.isCompressed = r.bool(type);
    else r.skip(type);
  },
};

function readPair(r: ThriftReader, type: number): [string, string] {
  const pair: [string, string] = ['', ''];
  r.structMember(type, (id, t) => {
    if (id === 1 || id === 2) pair[id - 1] = r.string(t);
    else r.skip(t);
  });
  return pair;
}

function readElement(r: ThriftReader, elementType: number): SchemaElement {
  const element: Mutable<Partial<SchemaElement>> = {};
  r.structMember(elementType, (id, type) => {
    if (id === 1) element.type = r.int(type);
    else if (id === 2) element.typeLength = r.size(type);
    else if (id === 3) element.repetition = r.int(type);
    else if (id === 4) element.name = r.string(type);
    else if (id === 5) element.children = r.size(type);
    else if (id === 6) element.converted = r.int(type);
    else if (id === 7) element.scale = r.int(type);
    else if (id === 8) element.precision = r.int(type);
    else if (id === 10) element.logical = readLogical(r, type);
    else r.skip(type);
  });
  sound(element.name !== undefined, 'a schema element has no name');
  return { ...element, name: element.name };
}

const LOGICAL_KINDS = new Map(
  Object.entries(LOGICAL_IDS).map(([kind, id]) => [id as number, kind as LogicalKind]),
);
type LogicalKind = keyof typeof LOGICAL_IDS;

function readLogical(r: ThriftReader, unionType: number): LogicalAnnotation {
  let logical: LogicalAnnotation | undefined;
  r.structMember(unionType, (id, type) => {
    const kind = LOGICAL_KINDS.get(id);
    if (kind === undefined) {
      r.skip(type);
      logical = { kind: 'other', id };
    } else if (kind === 'decimal') {
      const [scale, precision] = [{ value: 0 }, { value: 0 }];
      r.structMember(type, (member, t) => {
        if (member === 1) scale.value = r.int(t);
        else if (member === 2) precision.value = r.int(t);
        else r.skip(t);
      });
      logical = { kind, scale: scale.value, precision: precision.value };
    } else if (kind === 'time' || kind === 'timestamp') logical = readTime(r, kind, type);
    else if (kind === 'int') logical = readInt(r, type);
    else {
      r.structMember(type, (_, t) => r.skip(t));
      logical = { kind };
    }
  });
  if (logical === undefined) throw new Damage('a logical type is empty');
  return logical;
}

function readTime(r: ThriftReader, kind: 'time' | 'timestamp', structType: number): LogicalAnnotation {
  let utc = true;
  let unit: ParquetTimeUnit | undefined;
  r.structMember(structType, (id, type) => {
    if (id === 1) utc = r.bool(type);
    else if (id === 2) {
      r.structMember(type, (member, t) => {
        unit = member === 1 ? 'ms' : member === 2 ? 'us' : 'ns';
        r.skip(t);
      });
    } else r.skip(type);
  });
  if (unit === undefined) throw new Damage(`a ${kind} has no unit`);
  return { kind, utc, unit };
}

function readInt(r: ThriftReader, structType: number): LogicalAnnotation {
  let bits = 0;
  let signed = true;
  r.structMember(structType, (id, type) => {
    if (id === 1) bits = r.i8(type);
    else if (id === 2) signed = r.bool(type);
    else r.skip(type);
  });
  return { kind: 'int', bits, signed };
}

function readRowGroup(r: ThriftReader, groupType: number): RowGroupMeta {
  const group: Mutable<RowGroupMeta> = {
    columns: [],
    uncompressedSize: 0,
    compressedSize: 0,
    rows: -1,
    offset: 0,
  };
  r.structMember(groupType, (id, type) => {
    if (id === 1) group.columns = r.list(type, (t) => readChunk(r, t));
    // Only for show: some writers of old let this size overflow.
    else if (id === 2) group.uncompressedSize = Math.max(0, r.int(type));
    else if (id === 3) group.rows = r.size(type);
    else r.skip(type);
  });
  sound(group.rows >= 0, 'a row group has no number of rows');
  return group;
}

/** A ColumnChunk; its metadata is all that counts, and without it the column is encrypted or lies elsewhere. */
function readChunk(r: ThriftReader, chunkType: number): ColumnChunkMeta {
  let meta: ColumnChunkMeta | undefined;
  let elsewhere: string | undefined;
  r.structMember(chunkType, (id, type) => {
    if (id === 1) elsewhere = r.string(type);
    else if (id === 3) meta = readChunkMeta(r, type);
    else r.skip(type);
  });
  if (elsewhere) throw new Damage(`a column lies in another file (${elsewhere.slice(0, 80)})`);
  sound(meta !== undefined, 'a column has no metadata, as when it is encrypted');
  return meta;
}

function readChunkMeta(r: ThriftReader, metaType: number): ColumnChunkMeta {
  const meta: Mutable<ColumnChunkMeta> = {
    type: -1,
    encodings: [],
    path: [],
    codec: -1,
    values: -1,
    uncompressedSize: 0,
    compressedSize: -1,
    dataPageOffset: -1,
  };
  r.structMember(metaType, (id, type) => {
    if (id === 1) meta.type = r.int(type);
    else if (id === 3) meta.path = r.list(type, (t) => r.string(t));
    else if (id === 4) meta.codec = r.int(type);
    else if (id === 5) meta.values = r.size(type);
    else if (id === 6) meta.uncompressedSize = r.size(type);
    else if (id === 7) meta.compressedSize = r.size(type);
    else if (id === 9) meta.dataPageOffset = r.size(type);
    else if (id === 11) meta.dictionaryPageOffset = r.size(type);
    else r.skip(type);
  });
  const whole = meta.type >= 0 && meta.codec >= 0 && meta.values >= 0 && meta.compressedSize >= 0;
  sound(whole && meta.dataPageOffset >= 0, 'the metadata of a column lacks a part');
  return meta;
}
