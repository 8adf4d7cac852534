import { resolve } from 'node:path';
import type { Action } from '../commands/command.js';
import {
  type ConnectorDescription,
  describeConnector,
  writeModes,
} from '../connectors/describe-connector.js';
import { installedConnectors } from '../connectors/installed-connectors.js';
import { registryAt } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';
import { table } from '../output/table.js';

export const action: Action = async (_input, output) => {
  const { stdout } = output;
  const loaded = await installedConnectors(registryAt(resolve()), await commandLogger(output));
  const connectors = loaded.map(({ connector, installed }) => describeConnector(connector, installed));
  if (output.json) {
    stdout.json({ connectors });
    return 0;
  }
  const titles = ['connector', 'reads', 'writes', 'recognised by', 'what it is'];
  const rows = connectors.map(connectorRow);
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
    stdout.colours,
    stdout.width,
  ))
    stdout.line(line);
  return 0;
};

function connectorRow({ name, title, urls, files, source, sink }: ConnectorDescription): string[] {
  const writes =
    sink === undefined ? [] : writeModes(sink).map(({ mode, protocol }) => `${mode} (${protocol})`);
  return [
    name,
    source?.modes.join(', ') ?? '',
    writes.join(', '),
    [...urls.map((scheme) => `${scheme}://`), ...files].join(' '),
    title,
  ];
}
