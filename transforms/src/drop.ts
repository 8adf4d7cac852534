/** `drop`: leaves columns out. */
import { defineTransform } from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex } from './derive.js';
import { transformErrors } from './errors.js';
import { dropKeyOption, keeping } from './select.js';

export const dropTransform = defineTransform({
  name: 'drop',
  title: 'Leaves the named columns out',
  options: z.strictObject({
    columns: z.array(z.string()).min(1).describe('The columns to leave out.'),
    dropKey: dropKeyOption,
  }),
  errors: transformErrors,
  bind(schema, { columns, dropKey }) {
    const gone = new Set(columns.map((name) => columnIndex('drop', schema, name)));
    const kept = schema.fields.map((_, i) => i).filter((i) => !gone.has(i));
    return keeping('drop', schema, kept, dropKey);
  },
});
