import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Redactor } from './redactor.js';
import { resolveValues } from './resolve-values.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-resolve-'));
  writeFileSync(join(folder, 'token.txt'), 's3cr3t-token\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const env = {
  HOST: 'db.internal',
  PORT: '5432',
  EMPTY: '',
  TRICKY: '${env:HOST}',
  SHOP_URL: 'postgres://h/shop',
};

function resolved(value: unknown) {
  const redactor = new Redactor();
  return { ...resolveValues(value, { env, cwd: folder, redactor }), redactor };
}
function problem(text: string): string {
  const { problems, value } = resolved({ a: [text] });
  expect(value).toEqual({ a: [text] });
  expect(problems.map(({ path }) => path)).toEqual([['a', 0]]);
  return problems[0]!.message;
}

it('resolves values at any depth, and says where', () => {
  const {
    value,
    resolved: paths,
    problems,
  } = resolved({
    url: 'pg://${env:HOST}:${env:PORT}/x',
    list: [{ port: '${env:PORT}' }, 7, true, null],
    token: '${file:token.txt}',
    '${env:HOST}': 'a key stays as it is',
  });
  expect(problems).toEqual([]);
  expect(value).toEqual({
    url: 'pg://db.internal:5432/x',
    list: [{ port: '5432' }, 7, true, null],
    token: 's3cr3t-token',
    '${env:HOST}': 'a key stays as it is',
  });
  expect(paths.has(['list', 0, 'port'])).toBe(true);
  expect(paths.has(['list', 1])).toBe(false);
  expect(paths.has(['${env:HOST}'])).toBe(false);
});

it('falls back to defaults for variables that are missing or empty, like a shell', () => {
  const text = (template: string) => resolved(template).value;
  expect(text('${env:NOPE:-5433}')).toBe('5433');
  expect(text('${env:EMPTY:-x}')).toBe('x');
  expect(text('${env:EMPTY}')).toBe('');
  expect(text('${env:PORT:-5433}')).toBe('5432');
  expect(text('${env:NOPE:-}')).toBe('');
  expect(text('${env:NOPE:-${env:ALSO_NOPE:-${env:HOST}}}!')).toBe('db.internal!');
});

it('never resolves what a value yields', () => {
  expect(resolved('${env:TRICKY}').value).toBe('${env:HOST}');
});

it('leaves other text alone, and $${ stands for a plain ${', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/\$\{[a-z][a-z0-9-]*:|\$\$\{/.test(text));
      const { value, resolved: paths } = resolved(text);
      expect(value).toBe(text);
      expect(paths.has([])).toBe(false);
    }),
  );
  expect(resolved('$${env:HOST} ${row.id} $ {').value).toBe('${env:HOST} ${row.id} $ {');
});

it('remembers what it yields, but not the defaults that the job shows anyway', () => {
  const { redactor } = resolved(['${env:SHOP_URL}', '${file:token.txt}', '${env:NOPE:-default-value}']);
  expect(redactor.redact('postgres://h/shop s3cr3t-token default-value')).toBe('*** *** default-value');
});

it('says what cannot be resolved, without values', () => {
  expect(problem('${env:SHOP_ULR}')).toBe(
    'the environment variable SHOP_ULR is not set; did you mean SHOP_URL?',
  );
  expect(problem('${env:XYZ_QQQQQ}')).toBe('the environment variable XYZ_QQQQQ is not set');
  expect(problem('${env:HOST')).toContain('must end with "}"');
  expect(problem('${env:HOST:-x')).toContain('is not closed');
  expect(problem('${env:}')).toContain('needs the name of a variable');
  expect(problem('${file:none.txt}')).toBe(
    `the file ${join(folder, 'none.txt')} cannot be read (it does not exist)`,
  );
  expect(problem('${file:.}')).toContain('EISDIR');
  expect(problem('${vault:x}')).toContain('there is no ${vault:…}, only ${env:…} and ${file:…}');
  expect(problem('${envv:x}')).toContain('did you mean "env"?');
});

it('leaves objects alone that are more than data', () => {
  const regex = /x/;
  const apply = () => '${env:HOST}';
  const { value } = resolved({ use: 'map', regex, apply });
  expect((value as { regex: RegExp }).regex).toBe(regex);
  expect((value as { apply: () => string }).apply).toBe(apply);
});
