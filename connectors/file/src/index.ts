import { defineConnector } from '@sluice/sdk';
import { fileConfig } from './config.js';
import { fileErrors } from './errors.js';
import { createFileSink } from './sink/create-sink.js';
import { fileSinkErrors } from './sink/sink-errors.js';
import { fileSinkOptions } from './sink/sink-options.js';
import { FileSource } from './source.js';

/** CSV, JSON Lines, JSON and Parquet files as source and sink. */
// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector({
  name: 'file',
  title: 'Files: CSV, JSON Lines, JSON and Parquet, also compressed',
  config: fileConfig,
  source: { create: (config) => new FileSource(config) },
  sink: { options: fileSinkOptions, create: (config) => createFileSink(config) },
  errors: { ...fileErrors, ...fileSinkErrors },
});
