/** `rename`: gives columns other names; key columns keep their place in the key. */
import { defineTransform } from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex, deriveColumns, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';

export const renameTransform = defineTransform({
  name: 'rename',
  title: 'Gives columns other names',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.string().min(1))
      .describe('New names by the names that the columns have.'),
  }),
  errors: transformErrors,
  bind(schema, { columns }) {
    const names = schema.fields.map((f) => f.name);
    for (const [from, to] of Object.entries(columns)) names[columnIndex('rename', schema, from)] = to;
    const fields = schema.fields.map((f, i) => ({ ...f, name: names[i]! }));
    const key = schema.key.map((name) => columns[name] ?? name);
    const out = schemaOf('rename', schema, fields, key);
    const all = fields.map((_, i) => i);
    return {
      out,
      reads: [],
      writes: Object.values(columns),
      needsBefore: false,
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, () => all)],
    };
  },
});
