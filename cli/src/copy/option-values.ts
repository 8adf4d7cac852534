/** Values of `--from key=value` and `--to key=value`, as the connector's schema wants them. */
import type { Json, JsonObject } from '@sluice/sdk';
import type { JsonSchema } from '../connectors/json-schema.js';

/**
 * An object of the given pairs; `csv.header=false` reaches into an object. A text stays a text where the schema wants
 * one, and is read as JSON where it wants something else.
 */
export function optionValues(pairs: { readonly [path: string]: string }, schema: JsonSchema): JsonObject {
  const values: JsonObject = {};
  for (const [path, text] of Object.entries(pairs)) {
    const keys = path.split('.');
    let object = values;
    for (const key of keys.slice(0, -1)) object = child(object, key);
    object[keys.at(-1)!] = jsonOrText(text, schemaAt(schema, keys));
  }
  return values;
}

function child(object: JsonObject, key: string): JsonObject {
  const inner = object[key];
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return inner;
  const made: JsonObject = {};
  object[key] = made;
  return made;
}

function schemaAt(schema: JsonSchema, keys: readonly string[]): JsonSchema {
  return keys.reduce<JsonSchema>((at, key) => {
    const record = typeof at.additionalProperties === 'object' ? at.additionalProperties : {};
    return at.properties?.[key] ?? record;
  }, schema);
}

function jsonOrText(text: string, schema: JsonSchema): Json {
  if (takesText(schema)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function takesText({ type, enum: choices, anyOf, oneOf }: JsonSchema): boolean {
  if (choices !== undefined) return choices.every((choice) => typeof choice === 'string');
  return type === 'string' || (anyOf ?? oneOf ?? []).some(takesText);
}
