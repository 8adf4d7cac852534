export { type ByteSink, type CompressingSink, compressTo } from './compression/compress.js';
export {
  COMPRESSION_ENDINGS,
  type Compression,
  compressionOfBytes,
  compressionOfPath,
} from './compression/compression.js';
export { decompress } from './compression/decompress.js';
export { compressionErrors } from './compression/errors.js';
export { type CsvDialect, MAX_RECORD_BYTES } from './csv/dialect.js';
export { csvErrors } from './csv/errors.js';
export { type CsvSample, sampleCsv } from './csv/infer.js';
export { CsvFile, type CsvReadOptions, openCsv } from './csv/read.js';
export { type CsvWriteOptions, CsvWriter } from './csv/write.js';
export { jsonErrors } from './jsonl/errors.js';
export { JsonGuess } from './jsonl/guess.js';
export { type JsonSample, sampleJson } from './jsonl/infer.js';
export { type JsonReadOptions, RAW_FIELD, readJson, readRawJson } from './jsonl/read.js';
export { type JsonLinesWriteOptions, JsonLinesWriter } from './jsonl/write.js';
export type { ByteSource } from './parquet/byte-source.js';
export type { ParquetCodec } from './parquet/codec-write.js';
export { parquetErrors } from './parquet/errors.js';
export {
  openParquet,
  type ParquetFile,
  type ParquetReadOptions,
  type ReadRowsOptions,
} from './parquet/file.js';
export { ParquetWriter, type ParquetWriterOptions } from './parquet/writer.js';
export { storageErrors } from './storage/errors.js';
export { globFolder, globMatcher, isGlob } from './storage/glob.js';
export { type Files, LocalStorage } from './storage/local.js';
export type { ByteRange, Storage, StorageCapabilities, StoredFile, StoredWriter } from './storage/storage.js';
export { formatDuration, formatInterval, parseDuration, parseInterval } from './text/durations.js';
export { encodingOfBytes, encodingOfName, utf8Bytes } from './text/encoding.js';
export { textErrors } from './text/errors.js';
export { Guess, type Look, lookOf } from './text/guess.js';
export { TEXT_START, type TextPosition } from './text/position.js';
export type { TextBatch } from './text/table-reader.js';
