/** `js`: a module of the job's author, which is trusted: it runs in this process with all its rights. */
import {
  type Batch,
  type BoundTransform,
  defineTransform,
  type Field,
  parseType,
  type StreamSchema,
  sameType,
} from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex, madeField, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';
import { applyRows } from './js/apply-rows.js';
import { type LoadedModule, loadModule } from './js/load-module.js';

export const jsTransform = defineTransform({
  name: 'js',
  title: 'Runs a JavaScript module over rows or batches',
  options: z.strictObject({
    module: z
      .string()
      .min(1)
      .describe(
        'Path of the module, from the folder of the job file. Its default export takes a row and returns a row, null (to leave it out) or several; or its export `columns` takes a batch and a schema and returns batches of that schema. Both are synchronous and depend on nothing but the row.',
      ),
    columns: z
      .record(z.string(), z.string().min(1))
      .optional()
      .describe(
        'Types by column of what the module yields; by default its export `schema`, else what it is given.',
      ),
    key: z
      .array(z.string())
      .optional()
      .describe('The key columns of what the module yields; by default those of the stream.'),
    handlesUnchanged: z
      .boolean()
      .default(false)
      .describe(
        'Whether the module can do with UNCHANGED values in changes that the source sent only in part.',
      ),
  }),
  errors: transformErrors,
  async bind(schema, { module, columns, key, handlesUnchanged }, { cwd }) {
    const loaded = await loadModule(cwd, module);
    const declared =
      columns &&
      Object.entries(columns).map(([name, type]) => ({ name, type: parseType(type), nullable: true }));
    const out = outSchema(schema, declared ?? loaded.fields ?? schema.fields, key);
    const names = schema.fields.map((f) => f.name);
    return {
      out,
      reads: names,
      writes: out.fields.map((f) => f.name),
      needs: { after: handlesUnchanged ? [] : names, before: keepsKey(schema, out) ? [] : names },
      rung: loaded.columns ? 'columns' : 'rows',
      apply: applyModule(schema, out, loaded),
    };
  },
});

function outSchema(
  schema: StreamSchema,
  fields: readonly Field[],
  key: readonly string[] | undefined,
): StreamSchema {
  const outKey = key ?? schema.key;
  const made = fields.map((f) => (outKey.includes(f.name) ? madeField(f, []) : madeField(f, schema.fields)));
  const out = schemaOf('js', schema, made, outKey);
  if (key) for (const name of key) columnIndex('js', out, name);
  const missing = out.key.filter((name) => !fields.some((f) => f.name === name));
  if (missing.length === 0) return out;
  const what = `js: the module does not yield the key column ${missing.join(', ')} of ${schema.stream}`;
  throw transformErrors.keyRemoved(what, {
    details: { stream: schema.stream, columns: missing },
    help: 'Let it yield the column, or set "key" to the key columns that it yields ([] for none).',
  });
}

function applyModule(
  schema: StreamSchema,
  out: StreamSchema,
  { path, row, columns }: LoadedModule,
): BoundTransform['apply'] {
  if (columns) return (batch) => checked(path, out, columns(batch, out));
  if (row === undefined) throw new TypeError('a module without a function');
  const mapping = { path, row, out, keepsKey: keepsKey(schema, out), keyAlone: schema.fields.some(isUnsent) };
  return (batch) => [applyRows(batch, mapping)];
}

/** Whether the key columns that the module yields are columns that it is given. */
function keepsKey(schema: StreamSchema, out: StreamSchema): boolean {
  return out.key.every((name) => {
    const made = out.fields.find((f) => f.name === name);
    const given = schema.fields.find((f) => f.name === name);
    return given !== undefined && !isUnsent(given) && sameType(made!.type, given.type);
  });
}

function isUnsent({ unsent }: Field): boolean {
  return unsent !== undefined;
}

/** A batch of another shape would be written under wrong names. */
function checked(path: string, out: StreamSchema, made: Batch | readonly Batch[]): readonly Batch[] {
  const batches: readonly Batch[] = Array.isArray(made) ? made : [made as Batch];
  const shape = (schema: StreamSchema) => schema.fields.map((f) => `${f.name} ${f.type.kind}`).join();
  for (const batch of batches) {
    if (batch?.kind === 'batch' && shape(batch.schema) === shape(out)) continue;
    throw transformErrors.moduleFailed(
      `${path}: "columns" returned something that is no batch of the schema that it was given`,
    );
  }
  return batches;
}
