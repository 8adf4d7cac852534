import { z } from 'zod';

const size = z
  .string()
  .regex(/^\d+(\.\d+)?\s*[KMGT]i?B?$/i, 'a size such as 512MiB or 2GB')
  .transform((text) => text.replace(/([KMGT]i?)$/i, '$1B'));

/** Keys of a duckdb connection. */
export const duckdbConfig = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'The database file; relative paths start at the job’s folder. `:memory:` for a source that is empty',
    ),
  readOnly: z
    .boolean()
    .optional()
    .describe('Sources: open the file for reading only, so that other readers can share it (default true)'),
  memory: size
    .optional()
    .describe('DuckDB’s memory limit; by default this connection’s share of the job’s `memory`'),
  threads: z
    .number()
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe('DuckDB’s threads; as many as cores by default'),
  schema: z.string().min(1).default('main').describe('Schema of targets whose name has none'),
});

export type DuckdbConfig = z.output<typeof duckdbConfig>;
