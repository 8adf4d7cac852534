/** `default`: a value where there is none. */
import {
  type Batch,
  type Column,
  columnBuilder,
  defineTransform,
  type Field,
  formatType,
  getBit,
  types,
  type Value,
  valueReader,
} from '@sluice/sdk';
import { z } from 'zod';
import { converter, REFUSED } from './cast/convert-value.js';
import { columnIndex, deriveColumns, madeKey, type Origin, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';

/**
 * Null becomes the value. What the source did not send stays UNCHANGED, special values (NaN, infinity, …) are values,
 * and of deleted rows only the key is filled.
 */
export const defaultTransform = defineTransform({
  name: 'default',
  title: 'Gives columns a value where they have none',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .describe(
        'Values by column; what is no number or boolean is written as the text that casts to its type.',
      ),
  }),
  errors: transformErrors,
  bind(schema, { columns }) {
    const values = new Map<number, Value>();
    for (const [name, given] of Object.entries(columns)) {
      const index = columnIndex('default', schema, name);
      values.set(index, typedValue(schema.stream, schema.fields[index]!, given));
    }
    const out = schemaOf('default', schema, schema.fields, schema.key);
    const names = Object.keys(columns);
    const key = madeKey(
      schema,
      names.map((name) => ({ name, of: [name] })),
    );
    const columnsOf = (batch: Batch): Origin[] =>
      schema.fields.map((f, i) => {
        const value = values.get(i);
        if (value === undefined) return i;
        const isKey = schema.key.includes(f.name);
        return () => filled(f, batch, batch.column(i), value, isKey);
      });
    return {
      out,
      reads: names,
      writes: names,
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, columnsOf, key)],
    };
  },
});

function typedValue(stream: string, { name, type }: Field, given: string | number | boolean): Value {
  const value = converter(types.string, type)?.(String(given)) ?? REFUSED;
  if (value !== REFUSED) return value;
  const what = `default: ${JSON.stringify(given)} is no ${formatType(type)}, which ${stream}.${name} is`;
  throw transformErrors.castImpossible(what, { details: { stream, column: name } });
}

function filled(f: Field, batch: Batch, column: Column, value: Value, isKey: boolean): Column {
  const { validity, absent, special } = column;
  if (validity === undefined && column.data.layout !== 'none') return column;
  const read = valueReader(f.type, column);
  const builder = columnBuilder({ ...f, nullable: true }, column.length);
  for (let i = 0; i < column.length; i++) {
    const isNull =
      (validity === undefined || !getBit(validity, i)) &&
      !(absent !== undefined && getBit(absent, i)) &&
      special?.has(i) !== true;
    // A deleted row is found by its key, which was filled when it came.
    builder.append(isNull && (isKey || batch.opAt(i) !== 'delete') ? value : read(i));
  }
  return builder.finish();
}
