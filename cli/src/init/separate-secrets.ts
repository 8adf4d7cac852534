/** Takes the secrets out of a connection, so that a job file can be shown to anybody. */
import type { Json, JsonObject } from '@sluice/sdk';
import type { JsonSchema } from '../connectors/json-schema.js';

export interface SeparatedConnection {
  /** With `${env:NAME}` where a secret was. */
  readonly connection: JsonObject;
  /** The secrets by the names of their variables. */
  readonly secrets: { readonly [name: string]: string };
}

/**
 * `nameOf` names the variable for a secret that stands at a path of keys. What already refers to something
 * (`${env:…}`, `${file:…}`) stays as it is.
 */
export function separateSecrets(
  connection: JsonObject,
  schema: JsonSchema,
  nameOf: (path: readonly string[], value: string) => string,
): SeparatedConnection {
  const secrets: { [name: string]: string } = {};
  const walk = (value: Json, at: JsonSchema, path: readonly string[]): Json => {
    if (at.writeOnly === true && typeof value === 'string' && !value.includes('${')) {
      const name = nameOf(path, value);
      secrets[name] = value;
      return `\${env:${name}}`;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        walk(inner, at.properties?.[key] ?? {}, [...path, key]),
      ]),
    );
  };
  return { connection: walk(connection, schema, []) as JsonObject, secrets };
}
