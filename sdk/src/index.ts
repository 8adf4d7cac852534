export {
  Batch,
  type BatchOptions,
  type ColumnDecoder,
  type Encoded,
  OPS,
  type Op,
  type RejectedRow,
} from './batch.js';
export * from './calendar.js';
export { type ColumnBuilder, columnBuilder, columnOf, structFields } from './column-build.js';
export { columnValues, type ValueReader, valueReader } from './column-read.js';
export { type Connector, defineConnector } from './connector.js';
export { type Context, type Logger, silentLogger } from './context.js';
export { type CursorField, type CursorKind, cursorField } from './cursor-field.js';
export * from './decimal.js';
export * from './define-job.js';
export { defineSink, type SinkDefinition, type WriteRequest } from './define-sink.js';
export {
  defineSource,
  type Page,
  type ReadRequest,
  type SourceDefinition,
  type StreamDefinition,
} from './define-source.js';
export { documentText } from './document-text.js';
export * from './errors.js';
export { failpoint } from './failpoint.js';
export type { Fill } from './fill.js';
export { type Finding, failure } from './finding.js';
export { folderFindings, may } from './folder-findings.js';
export type { Json, JsonObject } from './json.js';
export type { DropLog, KeptLog } from './kept-log.js';
export * from './layout.js';
export * from './message.js';
export * from './modes.js';
export { renderName, templateProblem } from './name-template.js';
export { nearestName } from './nearest.js';
export { copiedOrigins, type Origin, type Origins, selectOrigins } from './origin.js';
export { parseType } from './parse-type.js';
export { comparePatterns, isExact, matchesAny, matchesPattern } from './pattern.js';
export { fieldIndex, type StreamSchema, streamSchema } from './schema.js';
export { isSecret, secret } from './secret.js';
export { shellWord } from './shell-word.js';
export * from './sink.js';
export * from './source.js';
export { streamError, streamOf } from './stream-error.js';
export { decodedColumn, slice, take } from './take.js';
export * from './transform.js';
export { fieldsOf, type RowOf, type TypedColumn, type TypedColumns, t } from './typed-columns.js';
export * as types from './types.js';
export { type Field, field, formatType, type LogicalType, sameType, type TimeUnit } from './types.js';
export { formatUuid, parseUuid } from './uuid.js';
export { valueFromJson, valueToJson } from './value-json.js';
export * from './values.js';
export { type TypeVerdict, type Verdict, worst } from './verdict.js';
