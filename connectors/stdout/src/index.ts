import { defineConnector } from '@sluice/sdk';
import { z } from 'zod';
import { stdoutErrors } from './errors.js';
import { StdoutSink } from './stdout-sink.js';

const stdoutConfig = z.strictObject({
  format: z.enum(['jsonl', 'csv']).default('jsonl').describe('One JSON document a line, or CSV.'),
  header: z.boolean().default(true).describe('Whether CSV begins with a record of the columns’ names.'),
  delimiter: z.string().length(1).default(',').describe('The character between CSV fields.'),
  null: z.string().default('').describe('The unquoted CSV text of null.'),
});

export { stdoutErrors };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector({
  name: 'stdout',
  title: 'Standard output, as JSON Lines or CSV',
  config: stdoutConfig,
  sink: { create: (config) => new StdoutSink(config) },
  errors: stdoutErrors,
});
