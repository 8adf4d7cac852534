/** `rename`: gives columns other names; key columns keep their place in the key. */
import { defineTransform } from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex, deriveColumns, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';
import { inStyle, NAME_STYLES } from './name-style.js';

export const renameTransform = defineTransform({
  name: 'rename',
  title: 'Gives columns other names',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.string().min(1))
      .default({})
      .describe('New names by the names that the columns have; they are taken as they are written here.'),
    case: z.enum(NAME_STYLES).optional().describe('How the names of all other columns are written.'),
    prefix: z.string().default('').describe('What stands before the names of all other columns.'),
    suffix: z.string().default('').describe('What stands behind them.'),
  }),
  errors: transformErrors,
  bind(schema, { columns, case: style, prefix, suffix }) {
    const renamed = (name: string) =>
      `${prefix}${style === undefined ? name : inStyle(name, style)}${suffix}`;
    const names = schema.fields.map(({ name }) => renamed(name));
    for (const [from, to] of Object.entries(columns)) names[columnIndex('rename', schema, from)] = to;
    const byName = new Map<string, string>();
    for (const [i, { name }] of schema.fields.entries()) {
      const other = byName.get(names[i]!);
      if (other !== undefined) {
        throw transformErrors.duplicateColumn(
          `rename: ${other} and ${name} of ${schema.stream} would both be called "${names[i]}"`,
          { details: { stream: schema.stream, column: names[i]! } },
        );
      }
      byName.set(names[i]!, name);
    }
    const fields = schema.fields.map((f, i) => ({ ...f, name: names[i]! }));
    const key = schema.key.map((name) => names[schema.fields.findIndex((f) => f.name === name)]!);
    const out = schemaOf('rename', schema, fields, key);
    const all = fields.map((_, i) => i);
    return {
      out,
      reads: [],
      writes: names.filter((name, i) => name !== schema.fields[i]!.name),
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, () => all)],
    };
  },
});
