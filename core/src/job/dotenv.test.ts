import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDotenv, readDotenv } from './dotenv.js';

it('reads what .env files hold', () => {
  const text = [
    '# a comment',
    '',
    'PLAIN=value with spaces   ',
    '  export EXPORTED = yes # comment',
    'HASH=a#b',
    'EMPTY=',
    'ONLY_COMMENT= # nothing',
    "SINGLE='as $it \\n is' # comment",
    'DOUBLE="two\\nlines \\"q\\" \\$x \\\\"',
    'MULTI="first',
    'second"',
    "KEY='-----BEGIN",
    "END-----'",
    'URL=postgres://u:p%40ss@host/db?a=b',
    'LAST="no newline"',
  ].join('\r\n');
  expect(parseDotenv(`\uFEFF${text}`)).toEqual({
    values: {
      PLAIN: 'value with spaces',
      EXPORTED: 'yes',
      HASH: 'a#b',
      EMPTY: '',
      ONLY_COMMENT: '',
      SINGLE: 'as $it \\n is',
      DOUBLE: 'two\nlines "q" $x \\',
      MULTI: 'first\nsecond',
      KEY: '-----BEGIN\nEND-----',
      URL: 'postgres://u:p%40ss@host/db?a=b',
      LAST: 'no newline',
    },
    skipped: [],
  });
});

it('goes on behind lines that it does not understand, and says which', () => {
  const { values, skipped } = parseDotenv('A=1\nnot an assignment\n2B=x\nM="x\ny"\n=nothing\nC="open\nD=4\n');
  expect(values).toMatchObject({ A: '1', M: 'x\ny', D: '4' });
  expect(skipped).toEqual([2, 3, 6]);
});

it('reads back every value in double quotes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const text = value.replaceAll('\r\n', '\n');
      const quoted = text.replace(/[\\"]/g, '\\$&');
      expect(parseDotenv(`A="${quoted}"\nB=2`).values).toEqual({ A: text, B: '2' });
    }),
    { numRuns: 500 },
  );
});

it('is empty where there is no file, and a folder of that name is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dotenv-'));
  try {
    expect(readDotenv(folder)).toEqual({ values: {}, skipped: [] });
    mkdirSync(join(folder, '.env'));
    expect(readDotenv(folder)).toEqual({ values: {}, skipped: [] });
    expect(readDotenv(join(folder, 'missing'))).toEqual({ values: {}, skipped: [] });
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/.env'), 'X=1\n');
    expect(readDotenv(join(folder, 'a')).values).toEqual({ X: '1' });
  } finally {
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  }
});
