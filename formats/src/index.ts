export { type CsvDialect, MAX_RECORD_BYTES } from './csv/dialect.js';
export { csvErrors } from './csv/errors.js';
export { CsvFile, type CsvReadOptions, openCsv, type TextBatch } from './csv/read.js';
export type { TextPosition } from './text/position.js';
export { parquetErrors } from './parquet/errors.js';
export { ParquetWriter, type ParquetWriterOptions } from './parquet/writer.js';
export type { ParquetCodec } from './parquet/codec-write.js';
