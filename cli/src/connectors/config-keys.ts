/** The keys of a configuration schema as a list, nested keys by their path. */
import type { JsonSchema } from './json-schema.js';

export interface ConfigKey {
  /** `csv.delimiter`, `streams.<name>.key`. */
  readonly key: string;
  /** In words: `whole number`, `"csv" or "json"`. */
  readonly type: string;
  readonly default?: unknown;
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
}

/** In the schema's order, each before the keys inside it. Of alternatives that are objects only the names are told. */
export function configKeys(schema: JsonSchema): ConfigKey[] {
  return keysBelow(schema, '', schema, []);
}

function keysBelow(
  schema: JsonSchema,
  path: string,
  root: JsonSchema,
  open: readonly JsonSchema[],
): ConfigKey[] {
  const own = resolve(schema, root);
  if (open.includes(own)) return [];
  const inside = [...open, own];
  const properties = Object.entries(own.properties ?? {}).flatMap(([name, property]) => {
    const key = path === '' ? name : `${path}.${name}`;
    const required = property.default === undefined && (own.required ?? []).includes(name);
    return [describeKey(key, property, required, root), ...keysBelow(property, key, root, inside)];
  });
  const record = own.additionalProperties;
  const named = typeof record === 'object' ? keysBelow(record, `${path}.<name>`, root, inside) : [];
  const listed = own.items === undefined ? [] : keysBelow(own.items, `${path}[]`, root, inside);
  return [...properties, ...named, ...listed];
}

function describeKey(key: string, property: JsonSchema, required: boolean, root: JsonSchema): ConfigKey {
  const resolved = resolve(property, root);
  return {
    key,
    type: typeWords(property, root),
    ...(property.default !== undefined && { default: property.default }),
    required,
    secret: (property.writeOnly ?? resolved.writeOnly) === true,
    description: property.description ?? resolved.description ?? '',
  };
}

const WORDS: { readonly [type: string]: string } = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  null: 'null',
  object: 'object',
};

function typeWords(schema: JsonSchema, root: JsonSchema): string {
  const own = resolve(schema, root);
  const { const: constant, enum: choices, type, items, additionalProperties, properties } = own;
  if (constant !== undefined) return JSON.stringify(constant);
  if (choices !== undefined) return choices.map((choice) => JSON.stringify(choice)).join(' or ');
  const variants = own.anyOf ?? own.oneOf;
  if (variants !== undefined)
    return [...new Set(variants.map((variant) => typeWords(variant, root)))].join(' or ');
  if (type === 'array') return `list of ${items === undefined ? 'anything' : typeWords(items, root)}`;
  if (type === 'object' && properties === undefined && typeof additionalProperties === 'object')
    return 'object by name';
  const types = typeof type === 'string' ? [type] : (type ?? []);
  return types.map((name) => WORDS[name] ?? name).join(' or ') || 'anything';
}

function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  return schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.slice('#/$defs/'.length)] ?? {});
}
