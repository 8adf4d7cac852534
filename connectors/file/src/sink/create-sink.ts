/** From a connection's configuration to its sink. */
import { COMPRESSION_ENDINGS, type Compression } from '@sluice/formats';
import type { FileConfig } from '../config.js';
import { partsOfPath } from '../file-format.js';
import { FileSink, type FileSinkSettings } from './file-sink.js';
import { parquetParts } from './parquet-parts.js';
import type { PartFormat } from './part-format.js';
import { fileSinkErrors } from './sink-errors.js';
import { csvParts, jsonLinesParts } from './text-parts.js';

/** Throws `SLUICE-FILESINK-0006` when neither `format` nor the path's ending says what to write. */
export function createFileSink(config: FileConfig): FileSink {
  const parts = partsOfPath(config.path);
  const isFile = !/[\\/]$/.test(config.path) && parts.format !== undefined;
  const formatName =
    config.format === 'auto' ? (parts.format ?? (isFile ? undefined : 'parquet')) : config.format;
  if (formatName === undefined || formatName === 'json') {
    throw fileSinkErrors.formatUnknown(`${config.path}: ${formatName ?? 'this ending'} cannot be written`);
  }
  const compression = config.compression === 'auto' ? parts.compression : config.compression;
  const settings: FileSinkSettings = {
    path: config.path,
    isFile,
    formatName,
    format: formatOf(formatName, compression, isFile, config),
    rotation: config.rotate,
    config,
  };
  return new FileSink(settings);
}

function formatOf(
  name: 'csv' | 'jsonl' | 'parquet',
  compression: Compression,
  isFile: boolean,
  { csv = {}, bytes, codec }: FileConfig,
): PartFormat {
  if (name === 'parquet') return parquetParts({ codec });
  const suffix =
    Object.keys(COMPRESSION_ENDINGS).find((ending) => COMPRESSION_ENDINGS[ending] === compression) ?? '';
  if (name === 'jsonl') return jsonLinesParts(`.jsonl${suffix}`, compression);
  const { delimiter, header = true, nulls } = csv;
  const text = {
    ending: `.csv${suffix}`,
    header,
    bytes,
    ...(delimiter !== undefined && { delimiter }),
    ...(nulls?.[0] !== undefined && { null: nulls[0] }),
  };
  return csvParts(text, compression, isFile);
}
