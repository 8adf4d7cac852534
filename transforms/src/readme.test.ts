import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { functions } from './expression/functions.js';
import { transforms } from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each([...functions.values()].map(({ usage }) => usage))('the README names %s', (usage) => {
  expect(readme).toContain(`\`${usage}\``);
});

it.each(Object.entries(transforms))('the README names %s and its options', (name, { options }) => {
  const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
  const { shape } = options as unknown as { shape: object };
  for (const option of Object.keys(shape)) expect(row).toContain(`\`${option}\``);
});
