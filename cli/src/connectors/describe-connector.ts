/** What a connector can do, as lists and the documentation show it. */
import type { Connector, Protocol, SinkCapabilities, SourceCapabilities, WriteMode } from '@sluice/sdk';
import type { JsonSchema } from './json-schema.js';
import { sampleConfig } from './sample-config.js';

/** What a package says of its connector in its `package.json`, under `sluice`. */
export interface ConnectorPackage {
  readonly package: string;
  readonly version: string;
  /** URL scheme → configuration key. */
  readonly urls?: { readonly [scheme: string]: string };
  /** File ending → configuration key. */
  readonly files?: { readonly [ending: string]: string };
}

export interface ConnectorDescription {
  readonly name: string;
  readonly title: string;
  readonly package: string;
  readonly version: string;
  readonly urls: readonly string[];
  readonly files: readonly string[];
  readonly source?: SourceCapabilities;
  readonly sink?: SinkCapabilities;
}

export function describeConnector(connector: Connector, found: ConnectorPackage): ConnectorDescription {
  const { urls = {}, files = {} } = found;
  const config = sampleFor(connector, found);
  const source = connector.source?.create(config).capabilities;
  const sink = connector.sink?.create(config).capabilities;
  return {
    name: connector.name,
    title: connector.title,
    package: found.package,
    version: found.version,
    urls: Object.keys(urls),
    files: Object.keys(files),
    ...(source && { source }),
    ...(sink && { sink }),
  };
}

/** Write modes with the protocol of each, in the order of the contract. */
export function writeModes({ modes }: SinkCapabilities): { mode: WriteMode; protocol: Protocol }[] {
  return (Object.entries(modes) as [WriteMode, Protocol][]).map(([mode, protocol]) => ({ mode, protocol }));
}

/** The configuration's JSON Schema, as people write it. */
export function configSchema(config: Connector['config']): JsonSchema {
  return config.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

function sampleFor(connector: Connector, { urls = {}, files = {} }: ConnectorPackage): unknown {
  const known = {
    ...Object.fromEntries(Object.entries(files).map(([ending, key]) => [key, `example${ending}`])),
    ...Object.fromEntries(
      Object.entries(urls).map(([scheme, key]) => [key, `${scheme}://localhost/example`]),
    ),
  };
  return connector.config.parse(sampleConfig(configSchema(connector.config), known));
}
