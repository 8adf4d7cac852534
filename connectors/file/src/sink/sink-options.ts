/** How one stream is written. */
import { z } from 'zod';

export const fileSinkOptions = z.strictObject({
  partitionBy: z
    .array(z.string().min(1))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'a column is named twice')
    .optional()
    .describe(
      'Columns that make folders, as Hive has it: year=2024/month=1/…; they do not stand in the files. Default: none.',
    ),
});

export type FileSinkOptions = z.infer<typeof fileSinkOptions>;
