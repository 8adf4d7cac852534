/** Rules of what a connector declares: its name, its configuration, its errors. */
import type { Connector, Context, JsonObject } from '@sluice/sdk';
import {
  demandDescribed,
  demandErrorsDeclared,
  demandNamed,
  demandSecretsMarked,
  demandStrict,
  type NamedSchema,
} from './declarations.js';
import { leakOf } from './open-resources.js';
import { demand, type Rule, type Session } from './rule.js';

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

export const connectorRules: readonly Rule<ConnectorSession>[] = [
  {
    id: 'CON-01',
    must: 'A connector MUST have a name in lower case with hyphens and a title of one line.',
    fix: 'Set `name` (as in job files) and `title` (as in lists) of the connector.',
    async check({ connector }) {
      demandNamed(connector);
    },
  },
  {
    id: 'CON-02',
    must: 'The schemas of configuration and options MUST refuse keys that they do not have.',
    fix: 'Declare objects with z.strictObject(), so that a misspelt key is an error instead of being ignored.',
    async check(session) {
      for (const each of schemasOf(session)) demandStrict(each);
    },
  },
  {
    id: 'CON-03',
    must: 'Every key of configuration and options MUST have a description.',
    fix: 'Add .describe() to the key: the reference pages and editors show it.',
    async check(session) {
      for (const each of schemasOf(session)) demandDescribed(each);
    },
  },
  {
    id: 'CON-04',
    must: 'A key that holds a password, a token or another secret MUST be made with secret().',
    fix: 'Use secret() of the SDK for the key, also where the secret is a part of a URL; what it marks is redacted.',
    async check({ connector, rawConfig }) {
      demandSecretsMarked({ schema: connector.config, example: rawConfig });
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
      demandErrorsDeclared(connector.errors);
    },
  },
];

function schemasOf({ connector, side, rawConfig, rawOptions }: ConnectorSession): NamedSchema[] {
  const options = connector[side]?.options;
  const examples = rawOptions.length > 0 ? rawOptions : [{}];
  return [
    { what: 'configuration', schema: connector.config, example: rawConfig },
    ...(options ? examples.map((example) => ({ what: 'options', schema: options, example })) : []),
  ];
}
