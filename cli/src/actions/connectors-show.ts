import { resolve } from 'node:path';
import { type Connector, errorEntries } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { type ConfigKey, configKeys } from '../connectors/config-keys.js';
import { connectorLines } from '../connectors/connector-lines.js';
import { type ConnectorPackage, configSchema, describeConnector } from '../connectors/describe-connector.js';
import { registryAt } from '../job/open-job.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const name = input.positionals[0]!;
  const registry = registryAt(resolve());
  const connector = await registry.connector(name);
  const found: ConnectorPackage = registry.list().find((each) => each.connector === connector.name) ?? {
    package: name,
    version: '',
  };
  const shown = {
    ...describeConnector(connector, found),
    config: configKeys(configSchema(connector.config)),
    sourceOptions: optionKeys(connector.source),
    sinkOptions: optionKeys(connector.sink),
    errors: errorEntries(connector.errors ?? {}).map(({ code, class: errorClass, title, help }) => ({
      code,
      class: errorClass,
      title,
      help,
    })),
  };
  if (output.json) stdout.json(shown);
  else for (const line of connectorLines(shown, stdout.colours, stdout.width)) stdout.line(line);
  return 0;
};

function optionKeys(side: Connector['source'] | Connector['sink']): readonly ConfigKey[] {
  return side?.options === undefined ? [] : configKeys(configSchema(side.options));
}
