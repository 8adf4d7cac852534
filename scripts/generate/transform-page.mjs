// What the documentation of a transform says that its code already says.
import { configTable } from './config-table.mjs';
import { code, prose, table } from './markdown.mjs';

/** @param {import('@sluice/sdk').Transform} transform */
export function transformPart({ options }, configSchema) {
  const keys = configTable(configSchema(options));
  return `## Options\n\n${keys === '' ? 'None.' : keys}`;
}

/** A page for a transform that has none yet. */
export function newTransformPage({ name, title }) {
  return `# ${name}\n\n${prose(title)}.\n`;
}

/** The list of all transforms. */
export function transformIndex(transforms) {
  const rows = transforms.map(({ name, title }) => [`[${name}](${name}.md)`, title]);
  const intro = `# Transforms\n\nA job names them under ${code('transforms')}, in the order in which they are applied: ${code('{ "use": "rename", "streams": ["public.*"], … }')}. Without ${code('streams')} a transform is for every stream of the flow. [Keys, changes and the expression language](../../transforms/README.md) are described with the package.`;
  return `${intro}\n\n${table(['transform', 'what it does'], rows)}\n`;
}
