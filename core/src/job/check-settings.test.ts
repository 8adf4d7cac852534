import { isSluiceError, sdkErrors, secret } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { checkSettings, settingsAt } from './check-settings.js';
import { Redactor } from './redactor.js';
import { ResolvedPaths } from './resolve-values.js';

const config = z.object({
  url: z.string().optional(),
  password: secret().min(2).optional(),
  port: z.int().default(5432),
  tls: z.boolean().optional(),
  big: z.bigint().optional(),
  level: z.union([z.literal(1), z.literal(2), z.literal('auto')]).optional(),
  text: z.union([z.string(), z.number()]).optional(),
  pool: z.object({ size: z.number(), names: z.array(z.string()).optional() }).optional(),
  auth: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('token'), token: secret() }),
      z.object({ kind: z.literal('user'), user: z.string(), tokens: z.array(secret()).optional() }),
    ])
    .optional(),
  headers: z.record(z.string(), secret()).optional(),
});

function check(
  values: { [key: string]: unknown },
  resolvedAt: PropertyKey[][] = [],
  schema: z.ZodType = config,
) {
  const resolved = new ResolvedPaths();
  for (const path of resolvedAt) resolved.add(['connections', 'shop', ...path]);
  const redactor = new Redactor();
  const job = { resolved, redactor, place: () => undefined };
  const settings = settingsAt(['connections', 'shop'], values);
  return { value: () => checkSettings(schema, settings, job, sdkErrors.configInvalid), redactor };
}
function problems(
  values: { [key: string]: unknown },
  resolvedAt: PropertyKey[][] = [],
  schema?: z.ZodType,
): string[] {
  try {
    check(values, resolvedAt, schema).value();
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    expect(error.code).toBe('SLUICE-SDK-0003');
    return error.message
      .split('\n')
      .filter((line) => !/^\d+ problems$/.test(line))
      .map((line) => line.trim());
  }
  throw new Error('accepted');
}

it('fills in defaults', () => {
  expect(check({}).value()).toEqual({ port: 5432 });
});

it('gives texts from references the type that the schema wants', () => {
  const values = {
    port: ' 5433',
    tls: 'True',
    big: '-12345678901234567890',
    level: '2',
    text: '7',
    pool: { size: '1.5e1' },
  };
  const places = [['port'], ['tls'], ['big'], ['level'], ['text'], ['pool', 'size']];
  expect(check(values, places).value()).toEqual({
    port: 5433,
    tls: true,
    big: -12345678901234567890n,
    level: 2,
    text: '7',
    pool: { size: 15 },
  });
  expect(check({ level: 'auto' }, [['level']]).value()).toMatchObject({ level: 'auto' });
});

it('gives other texts no other type', () => {
  expect(problems({ port: '5433' })).toEqual(['connections.shop.port: must be a number, is a string']);
  expect(problems({ port: '54x' }, [['port']])).toEqual([
    'connections.shop.port: must be a number, is a string',
  ]);
  expect(problems({ port: '0x10', tls: 'yes' }, [['port'], ['tls']])).toHaveLength(2);
});

it('refuses keys that the schema would drop, at any depth, with the name that was meant', () => {
  expect(problems({ prot: 1, pool: { size: 1, nmaes: [] }, xyzzy: 1 })).toEqual([
    'connections.shop.prot: unknown key; did you mean "port"?',
    'connections.shop.pool.nmaes: unknown key; did you mean "names"?',
    'connections.shop.xyzzy: unknown key; there are url, password, port, tls, big, level, text, pool, auth, headers',
  ]);
  expect(problems({ auth: { kind: 'user', user: 'u', token: 't' } })).toEqual([
    'connections.shop.auth.token: unknown key; did you mean "tokens"?',
  ]);
  expect(
    problems({ a: { xx: 1 } }, [], z.strictObject({ a: z.strictObject({ xy: z.number().optional() }) })),
  ).toEqual(['connections.shop.a.xx: unknown key; did you mean "xy"?']);
});

it('lets keys through where the schema takes any', () => {
  const schema = z.object({
    any: z.unknown(),
    loose: z.looseObject({ a: z.number() }),
    map: z.record(z.string(), z.number()),
  });
  const values = { any: { x: { y: 1 } }, loose: { a: 1, b: 2 }, map: { k: 1 } };
  expect(check(values, [], schema).value()).toEqual(values);
});

it('says what is wrong in words', () => {
  expect(problems({ url: 5, pool: {}, password: 'x' })).toEqual([
    'connections.shop.url: must be a string, is a number',
    'connections.shop.password: must have at least 2 characters',
    'connections.shop.pool.size: is missing; it must be a number',
  ]);
  expect(problems({ port: 1.5 })[0]).toContain('connections.shop.port: must be a whole number');
  expect(problems({ level: 3 })[0]).toBe('connections.shop.level: must be 1, 2 or "auto"');
  expect(problems({ auth: { kind: 'usr' } })[0]).toContain('connections.shop.auth');
  const mode = z.object({ mode: z.enum(['append', 'upsert']) });
  expect(problems({ mode: 'upsrt' }, [], mode)).toEqual([
    'connections.shop.mode: must be one of "append", "upsert"; did you mean "upsert"?',
  ]);
});

it('makes every secret known, also when the settings are refused', () => {
  const { value, redactor } = check({
    password: 'hunter22',
    auth: { kind: 'user', user: 'admin', tokens: ['tok-one', 'tok-two'] },
    headers: { authorization: 'Bearer abc' },
    url: 'mysql://root:inside99@localhost/db',
    prot: 1,
  });
  expect(value).toThrow('unknown key');
  expect(redactor.redact('hunter22 tok-one tok-two Bearer abc admin root:inside99@')).toBe(
    '*** *** *** *** admin root:***@',
  );
});

it('does not repeat a secret that a schema of another author puts into its message', () => {
  const schema = z.object({
    password: secret().refine(() => false, { error: (issue) => `"${String(issue.input)}" is too simple` }),
  });
  expect(problems({ password: 'hunter22' }, [], schema)).toEqual([
    'connections.shop.password: "***" is too simple',
  ]);
});
