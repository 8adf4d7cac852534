/** The JSON Schema of job files, for editors and documentation. */
import type { Connector, JsonObject } from '@sluice/sdk';
import { z } from 'zod';
import { longJobSchema, shortJobSchema } from './job-schema.js';

type Node = { [key: string]: unknown };

/**
 * The JSON Schema (draft 2020-12) of job files of both forms. With connectors, the keys of their connections are
 * described too; connections of other connectors take any keys.
 */
export function jobSchema(connectors: readonly Connector[] = []): JsonObject {
  const long = jsonSchema(longJobSchema);
  const short = jsonSchema(shortJobSchema);
  const $defs: Node = {
    reference: {
      type: 'string',
      pattern: '\\$\\{(env|file):',
      description: 'A value from the surroundings: ${env:NAME}, ${env:NAME:-default} or ${file:path}.',
    },
    connection: connectionOf(connectors),
  };
  const connection = { $ref: '#/$defs/connection' };
  const longProperties = long['properties'] as Node;
  const shortProperties = short['properties'] as Node;
  longProperties['connections'] = {
    ...(longProperties['connections'] as Node),
    additionalProperties: connection,
  };
  for (const side of ['source', 'sink']) {
    shortProperties[side] = { ...connection, description: (shortProperties[side] as Node)['description'] };
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Sluice job',
    description: 'What is read, what happens to it and where it goes.',
    if: { anyOf: [{ required: ['flows'] }, { required: ['connections'] }] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; the object is never awaited
    then: withReferences(long),
    else: withReferences(short),
    $defs,
  } as JsonObject;
}

/** A connection, whose keys depend on the connector. */
function connectionOf(connectors: readonly Connector[]): Node {
  return {
    type: 'object',
    description: 'A connection: a connector and its own keys.',
    properties: {
      connector: {
        description: 'Name, package or path (./mine) of the connector.',
        anyOf: [
          ...connectors.map(({ name, title }) => ({ const: name, description: title })),
          { type: 'string' },
        ],
      },
    },
    required: ['connector'],
    allOf: connectors.map((connector) => ({
      if: { properties: { connector: { const: connector.name } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; the object is never awaited
      then: configOf(connector),
    })),
  };
}

function configOf({ config }: Connector): Node {
  const schema = withReferences(jsonSchema(config)) as Node;
  if (schema['type'] !== 'object') return schema;
  const { additionalProperties = false, ...rest } = schema;
  return {
    ...rest,
    properties: { ...(schema['properties'] as Node), connector: true },
    additionalProperties,
  };
}

function jsonSchema(schema: z.ZodType): Node {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  return rest;
}

/** Keywords that hold one schema or a list of them, and those that hold schemas by name. */
const HOLDS_SCHEMA = ['items', 'prefixItems', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'not'];
const HOLDS_NAMED = ['properties', 'patternProperties', '$defs'];

/** Where a number, a choice or true or false is wanted, a reference may stand too: it is resolved before. */
function withReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withReferences);
  if (typeof schema !== 'object' || schema === null) return schema;
  const node: Node = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (HOLDS_SCHEMA.includes(keyword)) node[keyword] = withReferences(value);
    else if (HOLDS_NAMED.includes(keyword)) {
      const named = Object.entries(value as Node).map(([name, each]) => [name, withReferences(each)]);
      node[keyword] = Object.fromEntries(named);
    } else node[keyword] = value;
  }
  const { description, default: usual, ...rest } = node;
  const isChoice =
    rest['enum'] !== undefined || ['number', 'integer', 'boolean'].includes(String(rest['type']));
  if (!isChoice) return node;
  return {
    ...(description !== undefined && { description }),
    ...(usual !== undefined && { default: usual }),
    anyOf: [rest, { $ref: '#/$defs/reference' }],
  };
}
