/** How one stream is read. */
import { z } from 'zod';

export const CHUNKS = ['auto', 'ctid', 'key', 'none'] as const;

export const sourceOptions = z.strictObject({
  chunk: z
    .enum(CHUNKS)
    .default('auto')
    .describe(
      '`ctid`: ranges of blocks, fast and from one instant, but a copy that is interrupted starts anew; `key`: ranges ' +
        'of the key, each resumable; `none`: the table as one split; `auto` (default): `ctid` for large tables',
    ),
});

export type SourceOptions = z.infer<typeof sourceOptions>;
