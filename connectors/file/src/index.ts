import { defineConnector } from '@sluice/sdk';
import { fileConfig } from './config.js';
import { fileErrors } from './errors.js';
import { createFileSink } from './sink/create-sink.js';
import { fileSinkErrors } from './sink/sink-errors.js';
import { FileSource } from './source.js';

/** CSV, JSON Lines and Parquet files. */
const connector = defineConnector({
  name: 'file',
  title: 'Files: CSV, JSON Lines, JSON and Parquet, also compressed',
  config: fileConfig,
  source: { create: (config) => new FileSource(config) },
  sink: { create: (config) => createFileSink(config) },
  errors: { ...fileErrors, ...fileSinkErrors },
});

export { connector as default };
