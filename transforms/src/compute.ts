/** `compute`: adds or replaces columns by expressions over the row as it came. */
import {
  type Batch,
  type BoundTransform,
  type Column,
  defineTransform,
  type Field,
  fieldIndex,
  formatType,
  type LogicalType,
  parseType,
  type StreamSchema,
  setBit,
} from '@sluice/sdk';
import { z } from 'zod';
import { type CastColumn, columnCast } from './cast/cast-column.js';
import { deriveColumns, madeField, madeKey, type Origin, schemaOf } from './derive.js';
import { expressionErrors, transformErrors } from './errors.js';
import { compileExpression, type Expression } from './expression/expression.js';
import { inputsOf, isAbsent } from './inputs.js';
import { NOT_SENT } from './kernels/from-column.js';
import type { Vector } from './kernels/vector.js';
import { rowError } from './row-error.js';

const columnOption = z.union([
  z.string().min(1),
  z.strictObject({
    expression: z.string().min(1).describe('The expression, in CEL.'),
    type: z.string().min(1).optional().describe('The type of the column; every value must fit it exactly.'),
  }),
]);

export const computeTransform = defineTransform({
  name: 'compute',
  title: 'Adds or replaces columns by expressions',
  options: z.strictObject({
    columns: z
      .record(z.string().min(1), columnOption)
      .describe('Expressions by column. All see the row as it came to the transform, not each other.'),
  }),
  errors: { ...expressionErrors, ...transformErrors },
  bind(schema, { columns }) {
    const computed = Object.entries(columns).map(([name, option]) => {
      const { expression, type } =
        typeof option === 'string' ? { expression: option } : { type: undefined, ...option };
      return computedColumn(schema, name, expression, type);
    });
    return bound(schema, computed);
  },
});

interface Computed {
  readonly name: string;
  readonly expression: Expression;
  readonly type: LogicalType;
  readonly cast: CastColumn;
  readonly isKey: boolean;
}

function computedColumn(
  schema: StreamSchema,
  name: string,
  text: string,
  declared: string | undefined,
): Computed {
  const expression = compileExpression(text, schema);
  const type = declared === undefined ? expression.type : parseType(declared);
  const cast = columnCast(name, expression.type, type);
  if (cast === undefined) {
    const what = `compute: ${name} yields ${formatType(expression.type)}, which cannot become ${formatType(type)}`;
    throw transformErrors.castImpossible(what, { details: { stream: schema.stream, column: name } });
  }
  return { name, expression, type, cast, isKey: schema.key.includes(name) };
}

function bound(schema: StreamSchema, computed: readonly Computed[]): BoundTransform {
  const fields: Field[] = schema.fields.slice();
  const origins: (number | Computed)[] = fields.map((_, i) => i);
  for (const column of computed) {
    const { name, type, expression } = column;
    const index = fieldIndex(schema, name);
    const at = index < 0 ? fields.length : index;
    const inputs = expression.reads.map((i) => schema.fields[i]!);
    fields[at] = madeField({ name, type, nullable: expression.nullable }, inputs);
    origins[at] = column;
  }
  const out = schemaOf('compute', schema, fields, schema.key);
  const nameOf = (i: number) => schema.fields[i]!.name;
  const namesOf = (columns: readonly Computed[]) => [
    ...new Set(columns.flatMap(({ expression }) => expression.reads.map(nameOf))),
  ];
  const key = madeKey(
    schema,
    computed.map((column) => ({ name: column.name, of: namesOf([column]) })),
  );
  const columnsOf = (batch: Batch, image: 'row' | 'before'): Origin[] => {
    const inputs = inputsOf(batch);
    return origins.map((origin) => {
      if (typeof origin === 'number') return origin;
      return finished(batch, origin, origin.expression.evaluate(inputs), image);
    });
  };
  // With one input, an UNCHANGED input is an UNCHANGED result; of several, some may be sent and others not.
  const several = computed.filter(({ expression }) => expression.reads.length > 1);
  return {
    out,
    reads: namesOf(computed),
    writes: computed.map((column) => column.name),
    needs: { after: namesOf(several), before: namesOf(computed.filter(({ isKey }) => isKey)) },
    rung: 'columns',
    apply: (batch) => [deriveColumns(batch, out, columnsOf, key)],
  };
}

/** The column of a computed vector; rows without a result are UNCHANGED where that is right, else an error. */
function finished(batch: Batch, column: Computed, vector: Vector, image: 'row' | 'before'): Column {
  const made = column.cast(column.expression.toColumn(vector), batch, image);
  if (vector.errors === undefined) return made;
  const absent = new Uint8Array((batch.rowCount + 7) >> 3);
  for (const [row, reason] of [...vector.errors].sort(([a], [b]) => a - b)) {
    if (image === 'row' && !mayBeAbsent(batch, column, row)) {
      const factory = reason === NOT_SENT ? expressionErrors.notSent : expressionErrors.evaluation;
      throw rowError(factory, batch, column.name, row, reason);
    }
    setBit(absent, row);
  }
  return { ...made, absent };
}

/** Nothing that the expression reads was sent, so nothing that it yields has changed; or only the key matters. */
function mayBeAbsent(batch: Batch, { expression, isKey }: Computed, row: number): boolean {
  const { reads } = expression;
  if (isKey) return false;
  if (reads.length > 0 && reads.every((i) => isAbsent(batch.column(i), row))) return true;
  return batch.opAt(row) === 'delete';
}
