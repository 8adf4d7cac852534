import { defineConnector } from '@sluice/sdk';
import { type DuckdbConfig, duckdbConfig } from './duckdb-config.js';
import { DuckdbSink } from './duckdb-sink.js';
import { duckdbErrors } from './errors.js';

export { type DuckdbConfig, duckdbConfig, duckdbErrors };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector<DuckdbConfig>({
  name: 'duckdb',
  title: 'DuckDB database files: analytical tables without a server',
  config: duckdbConfig,
  sink: { create: (config) => new DuckdbSink(config) },
  errors: duckdbErrors,
});
