/** Texts of a configuration that nobody may see: what secret() marks, and passwords within URLs. */
import { isSecret } from '@sluice/sdk';
import type { ConnectorSession } from './connector-rules.js';
import { demand } from './rule.js';
import { show } from './show.js';

const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:([^/@]+)@/i;

/** Throws when one of the texts holds a secret of the session's configuration. */
export function demandNoSecrets(session: ConnectorSession, said: readonly string[]): void {
  for (const secret of secretsOf(session)) {
    const leak = said.find((text) => text.includes(secret));
    demand(leak === undefined, () => `a secret stands in ${show(leak?.replaceAll(secret, '<the secret>'))}`);
  }
}

function secretsOf({ connector, rawConfig }: ConnectorSession): string[] {
  const shape =
    (connector.config as { shape?: { [key: string]: Parameters<typeof isSecret>[0] } }).shape ?? {};
  const marked = Object.entries(rawConfig).filter(
    ([key]) => shape[key] !== undefined && isSecret(shape[key]),
  );
  const texts = marked.flatMap(([, value]) => (typeof value === 'string' ? [value] : []));
  const passwords = texts.flatMap((text) => URL_PASSWORD.exec(text)?.[1] ?? []);
  // A text of a character or two would be found everywhere by chance.
  return [...texts, ...passwords].filter((text) => text.length >= 3);
}

/** What an error says, with its facts. */
export function saidBy(error: unknown): string {
  return `${String(error)} ${JSON.stringify(error)}`;
}
