// What the documentation of a connector says that its code already says.
import { configTable } from './config-table.mjs';
import { code, prose, table } from './markdown.mjs';

const guarantees = {
  atomic: 'exactly once',
  'two-phase': 'exactly once',
  keyed: 'effectively once',
  append: 'at least once',
};

/** @param {import('./load-project.mjs').LoadedConnector} loaded */
export function connectorPart({ connector, description }, configSchema) {
  const parts = [
    facts(description),
    capabilities(description),
    section('## Connection', configTable(configSchema(connector.config))),
  ];
  if (connector.source?.options) {
    const text = 'Under `source` of a stream in the job file.';
    parts.push(
      section(
        `## Options of a stream that is read\n\n${text}`,
        configTable(configSchema(connector.source.options)),
      ),
    );
  }
  if (connector.sink?.options) {
    const text = 'Under `options` of a stream of the sink.';
    parts.push(
      section(
        `## Options of a stream that is written\n\n${text}`,
        configTable(configSchema(connector.sink.options)),
      ),
    );
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A page for a connector that has none yet. */
export function newConnectorPage({ connector }) {
  return `# ${connector.name}\n\n${prose(connector.title)}.\n`;
}

/** The table of all connectors. */
export function connectorTable(connectors, folder) {
  const rows = connectors.map(({ connector, description }) => [
    `[${connector.name}](${folder}/${connector.name}.md)`,
    connector.title,
    description.source ? description.source.modes.join(', ') : '',
    description.sink ? writes(description.sink) : '',
    meant(description),
  ]);
  return table(['connector', 'what it is', 'reads', 'writes', 'recognised by'], rows);
}

function facts({ package: name, urls, files }) {
  const lines = [`Package ${code(name)}.`];
  if (urls.length > 0)
    lines.push(`URLs that begin with ${urls.map((scheme) => code(`${scheme}://`)).join(', ')} mean it.`);
  if (files.length > 0) lines.push(`Files that end with ${files.map(code).join(', ')} mean it.`);
  return lines.join(' ');
}

function capabilities({ source, sink }) {
  const parts = [];
  if (source) {
    parts.push(
      '## As a source',
      table(
        ['reads', 'increments', 'can be read again', 'rows as they were before'],
        [[source.modes.map(code).join(', '), source.incremental, yes(source.replay), yes(source.before)]],
      ),
    );
  }
  if (sink) {
    parts.push(
      '## As a sink',
      table(
        ['write mode', 'protocol', 'guarantee'],
        Object.entries(sink.modes).map(([mode, protocol]) => [
          code(mode),
          code(protocol),
          guarantees[protocol],
        ]),
      ),
      `${sink.transactions === 'whole' ? 'A transaction of the source becomes visible as a whole' : 'A transaction of the source may become visible in parts'}; up to ${sink.writers} at once write.`,
    );
  }
  return parts.join('\n\n');
}

function writes({ modes }) {
  return Object.entries(modes)
    .map(([mode, protocol]) => `${mode} (${guarantees[protocol]})`)
    .join(', ');
}

function meant({ urls, files }) {
  return [...urls.map((scheme) => code(`${scheme}://`)), ...plainEndings(files).map(code)].join(' ');
}

/** File endings without those that only add a compression. */
function plainEndings(files) {
  return files.filter((ending) => !files.some((other) => other !== ending && ending.startsWith(`${other}.`)));
}

function section(title, body) {
  return body === '' ? '' : `${title}\n\n${body}`;
}

function yes(value) {
  return value ? 'yes' : 'no';
}
