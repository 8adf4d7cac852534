/** The checklist of following a database names tests: they have to be there. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PAGE = fileURLToPath(new URL('../../../docs/cdc-checklist.md', import.meta.url));

const lines = readFileSync(PAGE, 'utf8')
  .split('\n')
  .map((line) =>
    [...line.matchAll(/\[([^\]]+)\]\(([^)]+\.test\.ts)\)/g)].map(([, name, file]) => ({
      name: name!,
      file: file!,
    })),
  );

it('names tests that are there', () => {
  const proofs = lines.flat();
  expect(proofs.length).toBeGreaterThan(30);
  const missing = proofs.filter(
    ({ name, file }) => !readFileSync(join(dirname(PAGE), file), 'utf8').includes(`'${name}'`),
  );
  expect(missing).toEqual([]);
});
