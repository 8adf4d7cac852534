/** Rules of what a connector declares: its name, its configuration, its errors. */
import type { Connector, Context, JsonObject } from '@sluice/sdk';
import { errorEntries, isSecret } from '@sluice/sdk';
import { z } from 'zod';
import { leakOf } from './open-resources.js';
import { demand, type Rule, type Session } from './rule.js';
import { show } from './show.js';

/** What these rules see of a session, of whichever side. */
export interface ConnectorSession extends Session {
  readonly connector: Connector;
  readonly side: 'source' | 'sink';
  /** The configuration as a job file has it. */
  readonly rawConfig: JsonObject;
  /** Per-stream options as a job file has them. */
  readonly rawOptions: readonly JsonObject[];
  readonly context: Context;
  readonly patienceMs: number;
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export const connectorRules: readonly Rule<ConnectorSession>[] = [
  {
    id: 'CON-01',
    must: 'A connector MUST have a name in lower case with hyphens and a title of one line.',
    fix: 'Set `name` (as in job files) and `title` (as in lists) of the connector.',
    async check({ connector: { name, title } }) {
      demand(KEBAB.test(name), `the name is ${show(name)}`);
      demand(title.trim().length > 0 && !title.includes('\n'), `the title is ${show(title)}`);
    },
  },
  {
    id: 'CON-02',
    must: 'The schemas of configuration and options MUST refuse keys that they do not have.',
    fix: 'Declare objects with z.strictObject(), so that a misspelt key is an error instead of being ignored.',
    async check({ connector, side, rawConfig, rawOptions }) {
      for (const [what, schema, example] of schemasOf(connector, side, rawConfig, rawOptions)) {
        const good = schema.safeParse(example);
        demand(good.success, () => `the ${what} given to the kit is refused: ${good.error?.message}`);
        const wrong = schema.safeParse({ ...example, noSuchKey: 1 });
        demand(!wrong.success, `the ${what} accepts the key noSuchKey`);
      }
    },
  },
  {
    id: 'CON-03',
    must: 'Every key of configuration and options MUST have a description.',
    fix: 'Add .describe() to the key: the reference pages and editors show it.',
    async check({ connector, side, rawConfig, rawOptions }) {
      for (const [what, schema] of schemasOf(connector, side, rawConfig, rawOptions)) {
        for (const [key, { description }] of keysOf(schema)) {
          demand((description ?? '').trim().length > 0, `key ${key} of the ${what} has no description`);
        }
      }
    },
  },
  {
    id: 'CON-04',
    must: 'A key that holds a password, a token or another secret MUST be made with secret().',
    fix: 'Use secret() of the SDK for the key, also where the secret is a part of a URL; what it marks is redacted.',
    async check({ connector, rawConfig }) {
      for (const [key, { writeOnly }] of keysOf(connector.config)) {
        const given = rawConfig[key];
        const holdsPassword =
          typeof given === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:[^/@]+@/i.test(given);
        demand(
          writeOnly === true || !holdsPassword,
          `key ${key} takes a URL with a password and is no secret()`,
        );
        demand(writeOnly === true || !SECRET_NAME.test(key), `key ${key} is no secret()`);
      }
    },
  },
  {
    id: 'CON-05',
    must: 'Creating a source or a sink MUST open nothing: the first verb does.',
    fix: 'Connect, open files and start timers in the verbs; the constructor only keeps the configuration.',
    async check({ connector, side, rawConfig, patienceMs }) {
      const config = connector.config.parse(rawConfig);
      const leak = await leakOf(async () => void connector[side]?.create(config), patienceMs);
      demand(leak === undefined, `creating and forgetting ${side}s left open: ${leak}`);
    },
  },
  {
    id: 'CON-06',
    must: 'Every error that a connector declares MUST have a code of its own, a title and a help that says what to do.',
    fix: 'Declare errors with defineErrors() and export them as `errors` of the connector.',
    async check({ connector }) {
      const codes = new Set<string>();
      for (const { code, title, help } of errorEntries(connector.errors ?? {})) {
        demand(/^SLUICE-[A-Z0-9]+-\d{4}$/.test(code), `the code ${show(code)} is not like SLUICE-PG-0012`);
        demand(!codes.has(code), `the code ${code} is there twice`);
        codes.add(code);
        demand(title.trim().length > 0 && help.trim().length > 0, `${code} has no title or no help`);
      }
    },
  },
];

/** Names of keys that hold the secret itself; `tokenUrl` or `passwordFile` only lead to one. */
const SECRET_NAME = /(^|[^a-z])(password|passphrase|secret|token|api[_-]?key|private[_-]?key)$/i;

type NamedSchema = readonly [what: string, schema: z.ZodType, example: JsonObject];

function schemasOf(
  connector: Connector,
  side: 'source' | 'sink',
  rawConfig: JsonObject,
  rawOptions: readonly JsonObject[],
): NamedSchema[] {
  const options = connector[side]?.options;
  const examples = rawOptions.length > 0 ? rawOptions : [{}];
  return [
    ['configuration', connector.config, rawConfig],
    ...(options ? examples.map((example): NamedSchema => ['options', options, example]) : []),
  ];
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

function secretKeys(schema: z.ZodType): ReadonlySet<string> {
  const shape = (schema as { shape?: { [key: string]: z.ZodType } }).shape ?? {};
  return new Set(Object.entries(shape).flatMap(([key, of]) => (isSecret(of) ? [key] : [])));
}
