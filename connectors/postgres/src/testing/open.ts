/** Sources and sinks on a database, for tests. */
import { type PostgresConfig, postgresConfig } from '../config.js';
import { PostgresSink } from '../sink/postgres-sink.js';
import { PostgresSource } from '../source/postgres-source.js';

export function openSource(url: string, config: Partial<PostgresConfig> = {}): PostgresSource {
  return new PostgresSource(postgresConfig.parse({ url, ...config }));
}

export function openSink(url: string, config: Partial<PostgresConfig> = {}): PostgresSink {
  return new PostgresSink(postgresConfig.parse({ url, ...config }));
}
