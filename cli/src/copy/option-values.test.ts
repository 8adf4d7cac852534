import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonSchema } from '../connectors/json-schema.js';
import { optionValues } from './option-values.js';

const schema = z.strictObject({
  token: z.string(),
  format: z.enum(['csv', 'jsonl']).default('csv'),
  rows: z.number().optional(),
  csv: z.strictObject({ header: z.boolean().optional(), nulls: z.array(z.string()).optional() }).optional(),
  types: z.record(z.string(), z.string()).default({}),
});

it('are texts where the schema wants texts, and JSON elsewhere', () => {
  const pairs = {
    token: '123',
    format: 'jsonl',
    rows: '7',
    'csv.header': 'false',
    'csv.nulls': '["NULL"]',
    'types.total': '12',
    unknown: 'as it is',
  };
  expect(optionValues(pairs, schema.toJSONSchema({ io: 'input' }) as JsonSchema)).toEqual({
    token: '123',
    format: 'jsonl',
    rows: 7,
    csv: { header: false, nulls: ['NULL'] },
    types: { total: '12' },
    unknown: 'as it is',
  });
});
