import { defineConnector } from '@sluice/sdk';
import { fileConfig } from './config.js';
import { fileErrors } from './errors.js';
import { FileSource } from './source.js';

/** CSV, JSON Lines and Parquet files. */
const connector = defineConnector({
  name: 'file',
  title: 'Files: CSV, JSON Lines, JSON and Parquet, also compressed',
  config: fileConfig,
  source: { create: (config) => new FileSource(config) },
  errors: fileErrors,
});

export { connector as default };
