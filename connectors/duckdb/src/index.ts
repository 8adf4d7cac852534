import { defineConnector } from '@sluice/sdk';
import { type DuckdbConfig, duckdbConfig } from './duckdb-config.js';
import { duckdbErrors } from './errors.js';
import { DuckdbSink } from './sink/duckdb-sink.js';
import { DuckdbSource } from './source/duckdb-source.js';

export { type DuckdbConfig, duckdbConfig, duckdbErrors };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector<DuckdbConfig>({
  name: 'duckdb',
  title: 'DuckDB database files: analytical tables without a server',
  config: duckdbConfig,
  source: { create: (config) => new DuckdbSource(config) },
  sink: { create: (config) => new DuckdbSink(config) },
  errors: duckdbErrors,
});
