import { secret } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { configKeys } from './config-keys.js';
import { configSchema } from './describe-connector.js';

const schema = configSchema(
  z.strictObject({
    url: secret().describe('Where it is'),
    port: z.number().int().default(5432).describe('Its port'),
    format: z.enum(['csv', 'json']).optional(),
    csv: z.strictObject({ header: z.boolean().optional() }).optional(),
    streams: z.record(z.string(), z.strictObject({ key: z.array(z.string()) })).optional(),
    bound: z.union([z.number(), z.string()]).optional(),
  }),
);

it('lists keys with type, default and what must be given, nested ones by their path', () => {
  expect(configKeys(schema)).toEqual([
    { key: 'url', type: 'text', required: true, secret: true, description: 'Where it is' },
    {
      key: 'port',
      type: 'whole number',
      default: 5432,
      required: false,
      secret: false,
      description: 'Its port',
    },
    { key: 'format', type: '"csv" or "json"', required: false, secret: false, description: '' },
    { key: 'csv', type: 'object', required: false, secret: false, description: '' },
    { key: 'csv.header', type: 'true or false', required: false, secret: false, description: '' },
    { key: 'streams', type: 'object by name', required: false, secret: false, description: '' },
    { key: 'streams.<name>.key', type: 'list of text', required: true, secret: false, description: '' },
    { key: 'bound', type: 'number or text', required: false, secret: false, description: '' },
  ]);
});

it('ends where a schema contains itself', () => {
  const inner = { type: 'object', properties: { again: { $ref: '#/$defs/node' } } };
  const root = { properties: { node: { $ref: '#/$defs/node' } }, $defs: { node: inner } };
  expect(configKeys(root).map(({ key }) => key)).toEqual(['node', 'node.again']);
});
