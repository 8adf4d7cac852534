import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.js';

it('leaves plain words as they are', () => {
  expect(shellWord('/var/lib/sluice-1/state.db')).toBe('/var/lib/sluice-1/state.db');
  expect(shellWord('')).toBe("''");
});

it('is one word to a shell, whatever it holds', () => {
  const texts = fc.sample(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    200,
  );
  const script = texts.map((text) => `printf '%s\\0' ${shellWord(text)}`).join('\n');
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(stdout.split('\0').slice(0, -1)).toEqual(texts.map((text) => Buffer.from(text).toString()));
});
