/** The connection that a URL or path on the command line means. */
import { connectionAt, type Registry } from '@sluice/core';
import type { ConnectionSpec } from '@sluice/sdk';
import { configSchema } from '../connectors/describe-connector.js';
import { optionValues } from './option-values.js';

/** With `pairs`, further keys of the connection are set. */
export async function locate(
  location: string,
  side: 'source' | 'sink',
  pairs: { readonly [key: string]: string },
  registry: Registry,
  cwd: string,
): Promise<ConnectionSpec> {
  const connection = connectionAt(location, side, registry.list(), cwd);
  if (Object.keys(pairs).length === 0) return { ...connection };
  const { config } = await registry.connector(connection.connector);
  return { ...connection, ...optionValues(pairs, configSchema(config)) };
}
