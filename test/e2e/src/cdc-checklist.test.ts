/** The list of what following Postgres has to get right names tests, and they are there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const POSTGRES = 'connectors/postgres/src';
const FOLDERS: { readonly [short: string]: string } = {
  stream: `${POSTGRES}/stream`,
  source: `${POSTGRES}/source`,
  sink: `${POSTGRES}/sink`,
  connection: `${POSTGRES}/connection`,
  e2e: 'test/e2e/src',
};

it('every test that docs/cdc-checklist.md names is there', () => {
  const page = readFileSync(join(ROOT, 'docs/cdc-checklist.md'), 'utf8');
  const named = [...page.matchAll(/`(\w+)\/([\w.-]+)` › ([^|\n]+?)(?:, in versions.*)? *(?:\||$)/gm)];
  const mentioned = page.match(/`\w+\/[\w.-]+\.test\.ts`/g) ?? [];
  expect(named).toHaveLength(mentioned.length);
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, folder, file, name]) => {
    const text = readFileSync(join(ROOT, FOLDERS[folder!]!, file!), 'utf8');
    return !text.includes(`'${name}'`);
  });
  expect(missing.map(([whole]) => whole)).toEqual([]);
});
