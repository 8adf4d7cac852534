import { defineConnector } from '@sluice/sdk';
import { z } from 'zod';
import { stdinErrors } from './errors.js';
import { StdinSource } from './stdin-source.js';

const stdinConfig = z.strictObject({
  format: z.enum(['jsonl', 'csv']).default('jsonl').describe('One JSON document a line, or CSV.'),
  stream: z.string().min(1).default('stdin').describe('Name of the stream.'),
  columns: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Columns with their types, `{ "id": "int64" }`; without it they are guessed from the first rows.',
    ),
  csv: z
    .strictObject({
      delimiter: z.string().length(1).optional().describe('The character between fields. Default: a comma.'),
      header: z.boolean().optional().describe('Whether the first record names the columns. Default: true.'),
      names: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('The columns’ names, instead of a header’s.'),
      nulls: z.array(z.string()).optional().describe('Unquoted texts that mean null.'),
    })
    .prefault({})
    .describe('How CSV is written.'),
});

export { stdinErrors };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector({
  name: 'stdin',
  title: 'Standard input, as JSON Lines or CSV',
  config: stdinConfig,
  source: { create: (config) => new StdinSource(config) },
  errors: stdinErrors,
});
