/** Keys of a generate connection. */
import { z } from 'zod';
import { columnSpec } from './column-spec.js';
import { defaultColumns } from './default-stream.js';
import { mayBeNull } from './logical-type.js';

const rows = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const stream = z.strictObject({
  rows: rows.optional().describe('Rows of this stream; the connection’s `rows` by default'),
  columns: z
    .record(z.string(), columnSpec)
    .refine((columns) => Object.keys(columns).length > 0, 'at least one column is needed')
    .default(defaultColumns)
    .describe('What each column holds; ten columns of mixed types by default'),
  key: z.array(z.string()).optional().describe('Key columns; `id` where there is such a column'),
});

export const generateConfig = z
  .strictObject({
    rows: rows.default(1000).describe('Rows of each stream'),
    seed: z
      .number()
      .int()
      .default(1)
      .describe('Other seeds give other rows; the same seed gives the same rows'),
    rate: z
      .number()
      .positive()
      .optional()
      .describe('Rows a second of each split; as fast as possible by default'),
    splitRows: rows
      .refine((count) => count > 0, 'at least one row')
      .default(1_000_000)
      .describe('Rows of a full read that are read as one split'),
    streams: z
      .record(z.string(), stream)
      .refine((streams) => Object.keys(streams).length > 0, 'at least one stream is needed')
      .default({ rows: { columns: defaultColumns } })
      .describe('The streams by name; one called `rows` by default'),
  })
  .superRefine(({ streams }, issue) => {
    for (const [name, { columns, key = [] }] of Object.entries(streams)) {
      for (const column of key) {
        const spec = columns[column];
        const wrong =
          spec === undefined
            ? `there is no column ${column}`
            : mayBeNull(spec)
              ? `${column} may be null`
              : undefined;
        if (wrong !== undefined)
          issue.addIssue({ code: 'custom', path: ['streams', name, 'key'], message: wrong });
      }
    }
  });

export type GenerateConfig = z.output<typeof generateConfig>;
export type GenerateStream = GenerateConfig['streams'][string];
