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
import { deriveColumns, type Origin, schemaOf } from './derive.js';
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
    fields[at] = { name, type, nullable: expression.nullable };
    origins[at] = column;
  }
  const out = schemaOf('compute', schema, fields, schema.key);
  const columnsOf = (batch: Batch, image: 'row' | 'before'): Origin[] => {
    const inputs = inputsOf(batch);
    return origins.map((origin) => {
      if (typeof origin === 'number') return origin;
      return finished(batch, origin, origin.expression.evaluate(inputs), image);
    });
  };
  const name = (i: number) => schema.fields[i]!.name;
  return {
    out,
    reads: [...new Set(computed.flatMap(({ expression }) => expression.reads.map(name)))],
    writes: computed.map((column) => column.name),
    needsBefore: computed.some(({ expression }) => mayLackInputs(expression, schema)),
    rung: 'columns',
    apply: (batch) => [deriveColumns(batch, out, columnsOf)],
  };
}

/** With one input, an UNCHANGED input is an UNCHANGED result; of several, some may be sent and others not. */
function mayLackInputs({ reads }: Expression, schema: StreamSchema): boolean {
  return reads.length > 1 && reads.some((i) => !schema.key.includes(schema.fields[i]!.name));
}

/** The column of a computed vector; rows without a result are UNCHANGED where that is right, else an error. */
function finished(batch: Batch, column: Computed, vector: Vector, image: 'row' | 'before'): Column {
  const made = column.cast(column.expression.toColumn(vector), batch);
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

/** Nothing that the expression reads was sent, so nothing that it yields has changed; or the row is deleted anyway. */
function mayBeAbsent(batch: Batch, { expression, isKey }: Computed, row: number): boolean {
  const { reads } = expression;
  if (reads.length > 0 && reads.every((i) => isAbsent(batch.column(i), row))) return true;
  return batch.opAt(row) === 'delete' && !isKey;
}
