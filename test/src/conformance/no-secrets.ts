/** Texts of a configuration that nobody may see: what secret() marks, and passwords within URLs. */
import type { JsonObject } from '@sluice/sdk';
import type { z } from 'zod';
import type { ConnectorSession } from './connector-rules.js';
import { secretKeys } from './declarations.js';
import { demand } from './rule.js';
import { show } from './show.js';

const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:([^/@]+)@/i;

/** Throws when one of the texts holds a secret of the session's configuration. */
export function demandNoSecrets({ connector, rawConfig }: ConnectorSession, said: readonly string[]): void {
  demandKept(secretsOf(connector.config, rawConfig), said);
}

/** Throws when one of the texts holds one of the secrets. */
export function demandKept(secrets: readonly string[], said: readonly string[]): void {
  for (const secret of secrets) {
    const leak = said.find((text) => text.includes(secret));
    demand(leak === undefined, () => `a secret stands in ${show(leak?.replaceAll(secret, '<the secret>'))}`);
  }
}

/** The secrets among settings. */
export function secretsOf(schema: z.ZodType, raw: JsonObject): string[] {
  const marked = [...secretKeys(schema)].map((key) => raw[key]);
  const texts = marked.filter((value) => typeof value === 'string');
  const passwords = texts.flatMap((text) => URL_PASSWORD.exec(text)?.[1] ?? []);
  // A text of a character or two would be found everywhere by chance.
  return [...texts, ...passwords].filter((text) => text.length >= 3);
}

/** What an error says, with its facts. */
export function saidBy(error: unknown): string {
  return `${String(error)} ${JSON.stringify(error)}`;
}
