/** `cast`: gives columns other types, keeping every value or refusing it. */
import { defineTransform, formatType, parseType } from '@sluice/sdk';
import { z } from 'zod';
import { type CastColumn, columnCast } from './cast/cast-column.js';
import { columnIndex, deriveColumns, type MapColumns, madeField, madeKey, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';

export const castTransform = defineTransform({
  name: 'cast',
  title: 'Gives columns other types',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.string().min(1))
      .describe('Types by column, as plans print them: `decimal(12,2)`, `timestamp(us, utc)`, `bigint`.'),
    unfit: z
      .enum(['fail', 'null'])
      .default('fail')
      .describe(
        'What a value becomes that the new type cannot hold: `fail` refuses its row, `null` drops the value.',
      ),
  }),
  errors: transformErrors,
  bind(schema, { columns, unfit }) {
    const casts = new Map<number, CastColumn>();
    const fields = schema.fields.slice();
    for (const [name, text] of Object.entries(columns)) {
      const index = columnIndex('cast', schema, name);
      const given = schema.fields[index]!;
      const { type: from, nullable } = given;
      const to = parseType(text);
      const cast = columnCast(name, from, to, unfit);
      if (cast === undefined) {
        const what = `cast: ${schema.stream}.${name} is ${formatType(from)}, which cannot become ${formatType(to)}`;
        throw transformErrors.castImpossible(what, { details: { stream: schema.stream, column: name } });
      }
      casts.set(index, cast);
      fields[index] = madeField({ name, type: to, nullable: nullable || unfit === 'null' }, [given]);
    }
    const out = schemaOf('cast', schema, fields, schema.key);
    const key = madeKey(
      schema,
      Object.keys(columns).map((name) => ({ name, of: [name] })),
    );
    const columnsOf: MapColumns = (batch, image) =>
      fields.map((_, i) => casts.get(i)?.(batch.column(i), batch, image) ?? i);
    return {
      out,
      reads: Object.keys(columns),
      writes: Object.keys(columns),
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, columnsOf, key)],
    };
  },
});
