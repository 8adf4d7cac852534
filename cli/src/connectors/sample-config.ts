/** A configuration that a schema accepts, to build a connector that is only asked what it can do. */
import type { JsonSchema } from './json-schema.js';

/**
 * Values for the required keys only. `known` are texts for keys of which more is known than their type, such as a
 * URL of the right scheme.
 */
export function sampleConfig(schema: JsonSchema, known: { readonly [key: string]: string } = {}): unknown {
  return sample(schema, schema, known);
}

function sample(schema: JsonSchema, root: JsonSchema, known: { readonly [key: string]: string }): unknown {
  const { const: constant, enum: choices, anyOf, oneOf, $ref } = schema;
  if ($ref !== undefined) return sample(root.$defs?.[$ref.slice('#/$defs/'.length)] ?? {}, root, known);
  if (constant !== undefined) return constant;
  if (choices !== undefined) return choices[0];
  const variants = anyOf ?? oneOf;
  if (variants?.[0] !== undefined) return sample(variants[0], root, known);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? [])
          .filter((key) => schema.properties?.[key]?.default === undefined)
          .map((key) => [key, known[key] ?? sample(schema.properties?.[key] ?? {}, root, known)]),
      );
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}, root, known));
    case 'string':
      return 'example';
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return false;
    default:
      return null;
  }
}
