/**
 * Numbers of the Parquet format, as `parquet.thrift` of https://github.com/apache/parquet-format names them.
 */

/** `Type`: how values are stored. */
export const Physical = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  INT96: 3,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;
export type PhysicalType = (typeof Physical)[keyof typeof Physical];

/** `FieldRepetitionType`. */
export const Repetition = { REQUIRED: 0, OPTIONAL: 1, REPEATED: 2 } as const;

/** `ConvertedType`: annotations of before logical types; still written where both mean the same. */
export const Converted = {
  UTF8: 0,
  MAP: 1,
  MAP_KEY_VALUE: 2,
  LIST: 3,
  ENUM: 4,
  DECIMAL: 5,
  DATE: 6,
  TIME_MILLIS: 7,
  TIME_MICROS: 8,
  TIMESTAMP_MILLIS: 9,
  TIMESTAMP_MICROS: 10,
  UINT_8: 11,
  UINT_16: 12,
  UINT_32: 13,
  UINT_64: 14,
  INT_8: 15,
  INT_16: 16,
  INT_32: 17,
  INT_64: 18,
  JSON: 19,
  BSON: 20,
  INTERVAL: 21,
} as const;

/** `Encoding`. */
export const Encoding = {
  PLAIN: 0,
  PLAIN_DICTIONARY: 2,
  RLE: 3,
  BIT_PACKED: 4,
  DELTA_BINARY_PACKED: 5,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  DELTA_BYTE_ARRAY: 7,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
} as const;

/** `CompressionCodec`. */
export const Codec = {
  UNCOMPRESSED: 0,
  SNAPPY: 1,
  GZIP: 2,
  LZO: 3,
  BROTLI: 4,
  LZ4: 5,
  ZSTD: 6,
  LZ4_RAW: 7,
} as const;

/** `PageType`. */
export const PageKind = { DATA: 0, INDEX: 1, DICTIONARY: 2, DATA_V2: 3 } as const;

/** First and last four bytes of a file. */
export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

/** Resolution of a time or timestamp as Parquet stores it. */
export type ParquetTimeUnit = 'ms' | 'us' | 'ns';

/** `LogicalType`, the members that are told apart here. */
export type LogicalAnnotation =
  | {
      readonly kind:
        | 'string'
        | 'map'
        | 'list'
        | 'enum'
        | 'date'
        | 'json'
        | 'bson'
        | 'uuid'
        | 'unknown'
        | 'float16';
    }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly unit: ParquetTimeUnit; readonly utc: boolean }
  | { readonly kind: 'int'; readonly bits: number; readonly signed: boolean }
  /** One that this code does not know; the physical type is then all that is known. */
  | { readonly kind: 'other'; readonly id: number };

/** `SchemaElement`: a node of the schema, in depth-first order. */
export interface SchemaElement {
  readonly name: string;
  readonly type?: number;
  readonly typeLength?: number;
  readonly repetition?: number;
  /** Set for groups. */
  readonly children?: number;
  readonly converted?: number;
  readonly scale?: number;
  readonly precision?: number;
  readonly logical?: LogicalAnnotation;
}

/** `Statistics`, in the orders that the format defines per type; the deprecated min and max are left out. */
export interface Statistics {
  readonly nullCount: number;
  readonly min?: Uint8Array;
  readonly max?: Uint8Array;
  /** False: the bound was cut, and lies below (min) or above (max) every value. */
  readonly minExact?: boolean;
  readonly maxExact?: boolean;
}

/** `ColumnMetaData`. */
export interface ColumnChunkMeta {
  readonly type: number;
  readonly encodings: readonly number[];
  readonly path: readonly string[];
  readonly codec: number;
  /** Entries, nulls and empty lists counted. */
  readonly values: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  readonly dataPageOffset: number;
  readonly dictionaryPageOffset?: number;
  readonly statistics?: Statistics;
}

/** `RowGroup`. */
export interface RowGroupMeta {
  readonly columns: readonly ColumnChunkMeta[];
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  readonly rows: number;
  readonly offset: number;
}

/** `FileMetaData`. */
export interface FileMeta {
  readonly schema: readonly SchemaElement[];
  readonly rows: number;
  readonly rowGroups: readonly RowGroupMeta[];
  readonly keyValue: ReadonlyMap<string, string>;
  readonly createdBy?: string;
}

/** Bits that hold 0 … max. */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}
