/** The connection to a system: from a location, from given keys, and from answers where something is missing. */
import { connectionAt, type Registry } from '@sluice/core';
import type { ConnectionSpec, Json } from '@sluice/sdk';
import { configSchema } from '../connectors/describe-connector.js';
import type { JsonSchema } from '../connectors/json-schema.js';
import { optionValues } from '../copy/option-values.js';
import type { Questions } from './questions.js';

export interface AskedConnection {
  readonly connection: ConnectionSpec;
  /** The schema of its configuration. */
  readonly schema: JsonSchema;
}

export async function askConnection(
  location: string,
  side: 'source' | 'sink',
  pairs: { readonly [key: string]: string },
  registry: Registry,
  cwd: string,
  questions: Questions,
): Promise<AskedConnection> {
  const located = connectionAt(location, side, registry.list(), cwd);
  const { config } = await registry.connector(located.connector);
  const schema = configSchema(config);
  const connection: ConnectionSpec = { ...located, ...optionValues(pairs, schema) };
  for (const key of missingKeys(connection, schema, locationKeys(located.connector, registry))) {
    const property = schema.properties?.[key] ?? {};
    const text = await questions.ask({
      text: `${side} ${located.connector}: ${key}${property.description ? ` (${property.description})` : ''}`,
      ...(property.writeOnly === true && { secret: true }),
    });
    connection[key] = optionValues({ [key]: text }, schema)[key] as Json;
  }
  return { connection, schema };
}

/** Required keys, and of a connector that was only named the one which says where it is. */
function missingKeys(
  connection: ConnectionSpec,
  { required = [], properties = {} }: JsonSchema,
  locations: readonly string[],
): string[] {
  const needed = required.filter((key) => properties[key]?.default === undefined);
  const onlyNamed = Object.keys(connection).length === 1;
  const place = onlyNamed && needed.length === 0 ? locations.slice(0, 1) : [];
  return [...needed, ...place].filter((key) => connection[key] === undefined);
}

function locationKeys(connector: string, registry: Registry): string[] {
  const { urls = {}, files = {} } = registry.list().find((found) => found.connector === connector) ?? {};
  return [...new Set([...Object.values(urls), ...Object.values(files)])];
}
