import { z } from 'zod';

/** Keys of a blackhole connection. */
export const blackholeConfig = z.strictObject({
  decode: z
    .enum(['none', 'columns', 'rows'])
    .default('none')
    .describe('How deep batches are decoded before they are dropped: `none` measures reading alone'),
});

export type BlackholeConfig = z.output<typeof blackholeConfig>;
