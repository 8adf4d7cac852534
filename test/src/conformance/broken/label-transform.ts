/** A small transform that keeps the rules, for broken ones to derive from: it adds a column with a label of an int32 column. */
import {
  type Batch,
  type BoundTransform,
  type Column,
  columnOf,
  defineErrors,
  type Field,
  field,
  fieldIndex,
  type Row,
  type StreamSchema,
  secret,
  streamSchema,
  type Transform,
  types,
  UNCHANGED,
  valueReader,
} from '@sluice/sdk';
import { z } from 'zod';
import type { TransformOptions } from '../transform/transform-subject.js';

export const labelErrors = defineErrors('LABEL', {
  columnUnfit: {
    number: 1,
    class: 'config',
    title: 'There is no such column of numbers',
    help: 'Name another column.',
  },
  negative: { number: 2, class: 'data', title: 'A number is negative', help: 'Filter such rows before.' },
});

export const labelOptions = z.strictObject({
  column: z.string().describe('The column that the label is made of.'),
  mark: z.string().default('!').describe('What stands behind the number.'),
  token: secret().optional().describe('What nobody may see.'),
});
export type LabelOptions = z.infer<typeof labelOptions>;

export function bindLabel(schema: StreamSchema, { column, mark }: LabelOptions): BoundTransform {
  const index = fieldIndex(schema, column);
  const from = schema.fields[index];
  if (from?.type.kind !== 'int')
    throw labelErrors.columnUnfit(`${schema.stream} has no column of numbers ${column}`);
  const { unsent } = from;
  const label: Field = {
    ...field('label', types.string, { nullable: from.nullable }),
    ...(unsent && { unsent }),
  };
  const out = { ...schema, fields: [...schema.fields, label] };
  const kept = schema.fields.map((_, i) => i);
  const labelled = (batch: Batch): [...number[], Column] =>
    [...kept, labelOf(batch, index, label, mark)] as never;
  return {
    out,
    reads: [column],
    writes: ['label'],
    rung: 'columns',
    apply(batch) {
      const before = batch.before?.derive(out, labelled(batch.before));
      return [batch.derive(out, labelled(batch), undefined, before ? { before } : {})];
    },
  };
}

function labelOf(batch: Batch, index: number, label: Field, mark: string): Column {
  const read = valueReader(batch.schema.fields[index]!.type, batch.column(index));
  const values = Array.from({ length: batch.rowCount }, (_, row) => {
    const value = read(row);
    if (value === null || value === UNCHANGED) return value;
    if ((value as number) < 0)
      throw labelErrors.negative(`row ${row} of ${batch.stream}`, { details: { stream: batch.stream, row } });
    return `${String(value)}${mark}`;
  });
  return columnOf({ ...label, nullable: true }, values);
}

export const labelTransform: Transform<LabelOptions> = {
  name: 'label',
  title: 'Adds a label',
  options: labelOptions,
  errors: labelErrors,
  bind: bindLabel,
};

const schema = streamSchema(
  'items',
  [field('id', types.int64, { nullable: false }), field('n', types.int32), field('note', types.string)],
  ['id'],
);

const rows: Row[] = Array.from({ length: 12 }, (_, i) => ({
  id: BigInt(i + 1),
  n: i % 5 === 2 ? null : i,
  note: i % 4 === 1 ? null : `note ${i}`,
}));

/** What the kit is given of the transform, or of a broken one in its place. */
export function labelTransformOptions(
  transform: Transform<never> = labelTransform as Transform<never>,
): TransformOptions {
  return {
    transform,
    options: { column: 'n', token: 'very secret' },
    schema,
    rows,
    expected: rows.map((row) => ({ ...row, label: row['n'] === null ? null : `${String(row['n'])}!` })),
    rejects: [{ ...rows[0]!, n: -1 }],
    refuses: [{ column: 'note' }, { column: 'm' }],
  };
}
