import { expect, test } from 'vitest';
import { z } from 'zod';
import { isSecret, secret } from './secret.js';

test('secrets are known below optional, default and nullable, and nothing else is one', () => {
  const schemas = [
    secret(),
    secret().optional(),
    secret().default('x'),
    secret().min(3).optional().nullable(),
  ];
  expect(schemas.map((schema) => isSecret(schema))).toEqual([true, true, true, true]);
  expect(
    [z.string(), z.string().optional(), z.object({ a: secret() })].map((schema) => isSecret(schema)),
  ).toEqual([false, false, false]);
});

test('a described secret is still one', () => {
  expect(isSecret(secret().describe('The password.'))).toBe(true);
  expect(isSecret(secret().optional().describe('The password.'))).toBe(true);
});

test('JSON Schemas mark them as write-only', () => {
  expect(z.toJSONSchema(z.object({ key: secret().describe('A key.') })).properties).toMatchObject({
    key: { type: 'string', writeOnly: true, secret: true, description: 'A key.' },
  });
});
