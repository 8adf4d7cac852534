/** What a sink has written, read as the source of this connector reads it, with the types that it was written from. */
import {
  type Catalog,
  type Context,
  formatType,
  isSluiceError,
  type LogicalType,
  type TablePlan,
} from '@sluice/sdk';
import type { FileConfig } from '../config.js';
import { fileErrors } from '../errors.js';
import { FileSource } from '../source.js';
import type { TargetDetail } from './target-detail.js';

/** The files of one target; none where nothing is there. */
export class TargetFiles extends FileSource {
  constructor(config: FileConfig, format: 'parquet' | 'csv' | 'jsonl', table: TablePlan) {
    super(readingOf(config, format, table));
  }

  override async discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    try {
      return await super.discover(patterns, c);
    } catch (error) {
      if (isSluiceError(error) && error.code === fileErrors.nothingFound.entry.code) return { streams: [] };
      throw error;
    }
  }
}

function readingOf(config: FileConfig, format: 'parquet' | 'csv' | 'jsonl', table: TablePlan): FileConfig {
  const { encoding: _encoding, stream: _stream, streams: _streams, json: _json, csv, ...rest } = config;
  const { stream, schema } = table;
  const { folder, file, partitionBy = [] } = table.detail as unknown as TargetDetail;
  // Parquet files say what they hold; folders and text do not.
  const untyped = schema.fields.filter(({ name }) => format !== 'parquet' || partitionBy.includes(name));
  const types = Object.fromEntries(untyped.map(({ name, type }) => [`${stream}.${name}`, typeText(type)]));
  const names = schema.fields.map(({ name }) => name);
  const dialect = { ...csv, ...(csv?.header === false && { names }) };
  const reading = { ...rest, compression: 'auto' as const, csv: dialect, types };
  return file === undefined
    ? { ...reading, format: 'auto', streams: { [stream]: folder } }
    : { ...reading, format, stream };
}

/** Labels and texts of other systems stand in files as text. */
function typeText(type: LogicalType): string {
  return ['enum', 'native', 'null'].includes(type.kind) ? 'string' : formatType(type);
}
