// The reference of job files, made from their JSON Schema.
import { configTable } from './config-table.mjs';
import { code } from './markdown.mjs';

/** @param {any} schema as `sluice schema` prints it */
export function jobPage(schema) {
  const short = configTable(plain({ ...schema.else, $defs: undefined }));
  const long = configTable(plain({ ...schema.then, $defs: undefined }));
  return `# The job file

A job is JSON, YAML or a JavaScript or TypeScript module that exports it as its default. ${code('"$schema": "./node_modules/sluice/job.schema.json"')} lets editors complete and check it; ${code('sluice schema')} prints that schema with your own connectors.

Wherever a value stands, ${code('${env:NAME}')}, ${code('${env:NAME:-default}')} and ${code('${file:path}')} may stand in it. They are resolved after the file was parsed, from the environment and from ${code('.env')} beside the job, and what they yield is never printed. Unknown keys are errors.

In patterns of streams ${code('*')} stands for any characters. All that match have their say, from the broadest to the exact name; on a tie the later one in the file wins.

## The short form

One source, one sink. It stands for a flow ${code('main')} with a sink ${code('main')}.

${short}

## The long form

Named connections, and any number of flows between them.

${long}

A flow has one sink. The keys of a connection are those of its [connector](../connectors/index.md), those of a transform stand on [its page](../transforms/index.md).
`;
}

/** The schema without what stands in every place: references to the surroundings, and the keys of each connector. */
function plain(node) {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  if (node.$ref === '#/$defs/connection')
    return { type: 'object', description: 'A connection: `connector` and its own keys.' };
  if (node.anyOf?.[1]?.$ref === '#/$defs/reference') {
    const { anyOf, ...rest } = node;
    return { ...plain(anyOf[0]), ...rest };
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, plain(value)]));
}
