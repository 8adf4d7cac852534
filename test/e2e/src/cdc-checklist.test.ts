/** The list of what following Postgres has to get right names tests, and they are there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDERS = { 'stream/': 'connectors/postgres/src/stream/', 'e2e/': 'test/e2e/src/' };

it('every test that docs/cdc-checklist.md names is there', () => {
  const page = readFileSync(join(ROOT, 'docs/cdc-checklist.md'), 'utf8');
  const named = [
    ...page.matchAll(/`((?:stream|e2e)\/[\w.-]+)` › ([^|\n]+?)(?:, in versions.*)? *(?:\||$)/gm),
  ];
  const mentioned = page.match(/`(?:stream|e2e)\/[\w.-]+\.test\.ts`/g) ?? [];
  expect(named).toHaveLength(mentioned.length);
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, file, name]) => {
    const [folder] = Object.entries(FOLDERS).find(([short]) => file!.startsWith(short))!;
    const text = readFileSync(
      join(ROOT, file!.replace(folder, FOLDERS[folder as keyof typeof FOLDERS])),
      'utf8',
    );
    return !text.includes(`'${name}'`);
  });
  expect(missing.map(([whole]) => whole)).toEqual([]);
});
