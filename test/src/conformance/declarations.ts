/** What a connector or a transform says about itself: names, the keys of its settings, its errors. */
import type { ErrorFactory, JsonObject } from '@sluice/sdk';
import { errorEntries, isSecret } from '@sluice/sdk';
import { z } from 'zod';
import { demand } from './rule.js';
import { show } from './show.js';

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export function demandNamed({ name, title }: { readonly name: string; readonly title: string }): void {
  demand(KEBAB.test(name), `the name is ${show(name)}`);
  demand(title.trim().length > 0 && !title.includes('\n'), `the title is ${show(title)}`);
}

/** Settings of one kind, with an example as a job file has it. */
export interface NamedSchema {
  readonly what: string;
  readonly schema: z.ZodType;
  readonly example: JsonObject;
}

/** Throws unless the example is taken, and refused with one key more. */
export function demandStrict({ what, schema, example }: NamedSchema): void {
  const good = schema.safeParse(example);
  demand(good.success, () => `the ${what} given to the kit is refused: ${good.error?.message}`);
  const wrong = schema.safeParse({ ...example, noSuchKey: 1 });
  demand(!wrong.success, `the ${what} accepts the key noSuchKey`);
}

export function demandDescribed({ what, schema }: Pick<NamedSchema, 'what' | 'schema'>): void {
  for (const [key, { description }] of keysOf(schema)) {
    demand((description ?? '').trim().length > 0, `key ${key} of the ${what} has no description`);
  }
}

/** Names of keys that hold the secret itself; `tokenUrl` or `passwordFile` only lead to one. */
const SECRET_NAME = /(^|[^a-z])(password|passphrase|secret|token|api[_-]?key|private[_-]?key)$/i;
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:[^/@]+@/i;

export function demandSecretsMarked({ schema, example }: Pick<NamedSchema, 'schema' | 'example'>): void {
  for (const [key, { writeOnly }] of keysOf(schema)) {
    const given = example[key];
    const holdsPassword = typeof given === 'string' && URL_WITH_PASSWORD.test(given);
    demand(writeOnly === true || !holdsPassword, `key ${key} takes a URL with a password and is no secret()`);
    demand(writeOnly === true || !SECRET_NAME.test(key), `key ${key} is no secret()`);
  }
}

export function demandErrorsDeclared(errors: { readonly [name: string]: ErrorFactory } = {}): void {
  const codes = new Set<string>();
  for (const { code, title, help } of errorEntries(errors)) {
    demand(/^SLUICE-[A-Z0-9]+-\d{4}$/.test(code), `the code ${show(code)} is not like SLUICE-PG-0012`);
    demand(!codes.has(code), `the code ${code} is there twice`);
    codes.add(code);
    demand(title.trim().length > 0 && help.trim().length > 0, `${code} has no title or no help`);
  }
}

interface KeySchema {
  readonly description?: string;
  readonly writeOnly?: boolean;
}
type ObjectSchema = { properties?: { [key: string]: KeySchema } } & {
  [K in 'anyOf' | 'oneOf' | 'allOf']?: ObjectSchema[];
};

/** The keys of an object schema, or of the objects that it is a choice of. */
function keysOf(schema: z.ZodType): [string, KeySchema][] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as ObjectSchema;
  const secrets = secretKeys(schema);
  return propertiesOf(json).map(([key, found]) => [
    key,
    secrets.has(key) ? { ...found, writeOnly: true } : found,
  ]);
}

function propertiesOf(json: ObjectSchema): [string, KeySchema][] {
  const own = Object.entries(json.properties ?? {});
  const inner = [json.anyOf, json.oneOf, json.allOf].flatMap((schemas) => schemas ?? []);
  return [...own, ...inner.flatMap(propertiesOf)];
}

/** Keys of an object schema that are made with secret(). */
export function secretKeys(schema: z.ZodType): ReadonlySet<string> {
  const shape = (schema as { shape?: { [key: string]: z.ZodType } }).shape ?? {};
  return new Set(Object.entries(shape).flatMap(([key, of]) => (isSecret(of) ? [key] : [])));
}
