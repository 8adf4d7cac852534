/** `select`: keeps columns, in the order given. */
import { defineTransform, type StreamSchema } from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex, deriveColumns, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';

export const dropKeyOption = z
  .boolean()
  .default(false)
  .describe(
    'Whether key columns may go; the stream then has no key, and only append and replace can write it.',
  );

export const selectTransform = defineTransform({
  name: 'select',
  title: 'Keeps the named columns, in that order',
  options: z.strictObject({
    columns: z.array(z.string()).min(1).describe('The columns to keep, in the order that they shall have.'),
    dropKey: dropKeyOption,
  }),
  errors: transformErrors,
  bind(schema, { columns, dropKey }) {
    const kept = columns.map((name) => columnIndex('select', schema, name));
    return keeping('select', schema, kept, dropKey);
  },
});

/** Only the columns `kept`, by index. */
export function keeping(transform: string, schema: StreamSchema, kept: readonly number[], dropKey: boolean) {
  const fields = kept.map((i) => schema.fields[i]!);
  const out = schemaOf(transform, schema, fields, keyAfter(transform, schema, fields, dropKey));
  return {
    out,
    reads: [],
    writes: [],
    rung: 'columns' as const,
    apply: (batch: Parameters<typeof deriveColumns>[0]) => [deriveColumns(batch, out, () => kept)],
  };
}

/** The key as it was, or none when a part of it goes and that is wanted. */
function keyAfter(
  transform: string,
  schema: StreamSchema,
  fields: StreamSchema['fields'],
  dropKey: boolean,
): readonly string[] {
  const missing = schema.key.filter((name) => !fields.some((f) => f.name === name));
  if (missing.length === 0) return schema.key;
  if (dropKey) return [];
  const columns = missing.map((name) => `"${name}"`).join(', ');
  throw transformErrors.keyRemoved(
    `${transform}: ${columns} of ${schema.stream} belongs to the key ${schema.key.join(', ')}`,
    {
      details: { stream: schema.stream, columns: missing },
    },
  );
}
