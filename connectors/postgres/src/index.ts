import { defineConnector } from '@sluice/sdk';
import { type PostgresConfig, postgresConfig } from './config.js';
import { pgErrors } from './errors.js';
import { PostgresSink } from './sink/postgres-sink.js';
import { PostgresSource } from './source/postgres-source.js';
import { sourceOptions } from './source/source-options.js';

export { type PostgresConfig, pgErrors, postgresConfig };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector<PostgresConfig>({
  name: 'postgres',
  title: 'PostgreSQL tables, read and written by binary COPY',
  config: postgresConfig,
  source: { options: sourceOptions, create: (config) => new PostgresSource(config) },
  sink: { create: (config) => new PostgresSink(config) },
  errors: pgErrors,
});
