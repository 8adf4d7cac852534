/** Transforms that each break one rule on purpose, as authors do by accident; the rule must catch them. */
import {
  Batch,
  type BoundTransform,
  type Column,
  columnOf,
  defineErrors,
  type Row,
  type StreamSchema,
  type Transform,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { z } from 'zod';
import type { TransformOptions } from '../transform/transform-subject.js';
import {
  bindLabel,
  type LabelOptions,
  labelOptions,
  labelTransform,
  labelTransformOptions,
} from './label-transform.js';

export interface BrokenTransform {
  /** The rule that catches it. */
  readonly rule: string;
  /** What it does wrong. */
  readonly what: string;
  readonly options: TransformOptions;
}

/** The good transform, declared wrongly. */
function declared(rule: string, what: string, wrong: object): BrokenTransform {
  return { rule, what, options: labelTransformOptions({ ...labelTransform, ...wrong } as Transform<never>) };
}

type Bind = (schema: StreamSchema, options: LabelOptions) => BoundTransform;

/** A transform that is bound wrongly. */
const bound = (rule: string, what: string, bind: Bind) => declared(rule, what, { bind });

/** The good transform with a part of what it promises or does replaced. */
function changed(
  rule: string,
  what: string,
  change: (good: BoundTransform, schema: StreamSchema) => Partial<BoundTransform>,
): BrokenTransform {
  return bound(rule, what, (schema, options) => {
    const good = bindLabel(schema, options);
    return { ...good, ...change(good, schema) };
  });
}

/** Rows mapped one by one; ops and before-images as they come from the good transform. */
function byRow(
  rule: string,
  what: string,
  map: (row: Row, index: number, batch: Batch) => Row,
): BrokenTransform {
  return changed(rule, what, (good) => ({
    apply(batch) {
      const [made] = good.apply(batch) as [Batch];
      const rows = made.rows().map((row, i) => map(row, i, batch));
      const { op, before } = made;
      return [Batch.ofRows(made.schema, rows, { op, ...(before && { before }) })];
    },
  }));
}

const withLabel = (made: Batch, label: (given: Column) => Column): Batch =>
  made.derive(
    made.schema,
    made.schema.fields.map(({ name }, i) => (name === 'label' ? label(made.column(i)) : i)),
  );

let calls = 0;

export const brokenTransforms: readonly BrokenTransform[] = [
  declared('TRF-01', 'has no title', { title: '' }),
  declared('TRF-02', 'ignores keys that it does not know', { options: z.object(labelOptions.shape) }),
  declared('TRF-03', 'has a token that is printed', {
    options: labelOptions.extend({ token: z.string().optional().describe('A token.') }),
  }),
  declared('TRF-04', 'has an error that does not say what to do', {
    errors: defineErrors('LABEL', { bad: { number: 1, class: 'data', title: 'Bad', help: ' ' } }),
  }),
  bound('TRF-05', 'remembers that it was bound before', (schema, options) => ({
    ...bindLabel(schema, options),
    reads: calls++ === 0 ? ['n'] : ['n', 'note'],
  })),
  bound('TRF-06', 'adds its column to the schema of the source', (schema, options) => {
    const good = bindLabel(schema, options);
    (schema.fields as StreamSchema['fields'][number][]).push(good.out.fields.at(-1)!);
    return good;
  }),
  changed('TRF-07', 'writes a column that it does not yield', () => ({ writes: ['label', 'labels'] })),
  bound('TRF-08', 'fails over a missing column as JavaScript does', (schema, options) => {
    const { name } = schema.fields.find((f) => f.name === options.column)!;
    return bindLabel(schema, { ...options, column: name });
  }),
  changed('TRF-09', 'leaves before-images as they came', (good) => ({
    apply(batch) {
      const [made] = good.apply(batch) as [Batch];
      return [
        batch.before ? made.derive(made.schema, made.columns(), undefined, { before: batch.before }) : made,
      ];
    },
  })),
  changed('TRF-10', 'leaves text under null bits', (good) => ({
    apply: (batch) =>
      good.apply(batch).map((made) =>
        withLabel(made, ({ validity, length }) => ({
          ...columnOf({ name: 'label', type: types.string, nullable: true }, new Array(length).fill('?')),
          ...(validity && { validity }),
        })),
      ),
  })),
  changed('TRF-11', 'writes into the columns that it is given', (good) => ({
    apply(batch) {
      const made = good.apply(batch);
      const { data } = batch.column(0);
      if (data.layout === 'fixed' && batch.rowCount > 0) (data.values as BigInt64Array)[0]! += 1000n;
      return made;
    },
  })),
  changed('TRF-12', 'takes the first row for granted', (good) => ({
    apply(batch) {
      void batch.rows()[0]!['id'];
      return good.apply(batch);
    },
  })),
  byRow('TRF-13', 'makes something else of it', (row) => ({
    ...row,
    label: row['label'] && `${String(row['label'])}?`,
  })),
  byRow('TRF-14', 'numbers rows as they pass', (row) => ({ ...row, label: `${calls++}` })),
  byRow('TRF-15', 'numbers rows within their batch', (row, i) => ({ ...row, label: `${i}` })),
  changed('TRF-16', 'reads buffers from their beginning, wherever the column begins', (good) => ({
    apply: (batch) =>
      good.apply(batch).map((made) => {
        const { data } = batch.column(0);
        const start = data.layout === 'fixed' ? data.values.byteOffset : 0;
        return withLabel(made, (label) =>
          start === 0
            ? label
            : columnOf(
                { name: 'label', type: types.string, nullable: true },
                new Array(label.length).fill('x'),
              ),
        );
      }),
  })),
  changed('TRF-17', 'looks at all columns', (good) => ({
    apply(batch) {
      batch.rows();
      return good.apply(batch);
    },
  })),
  byRow('TRF-18', 'uses a column that it does not name', (row) => ({
    ...row,
    label: `${String(row['note'])}`,
  })),
  byRow('TRF-19', 'trims another column in passing', (row) => ({
    ...row,
    note: typeof row['note'] === 'string' ? row['note'].slice(0, 4) : row['note']!,
  })),
  changed('TRF-20', 'makes upserts of all rows', (good) => ({
    apply: (batch) =>
      good.apply(batch).map((made) =>
        made.derive(made.schema, made.columns(), undefined, {
          op: batch.op === 'insert' ? 'upsert' : batch.op,
        }),
      ),
  })),
  changed('TRF-21', 'drops rows that it no longer wants, instead of deleting them', (good) => ({
    reads: ['n', 'note'],
    apply: (batch) =>
      good.apply(batch).map((made) => {
        const wanted = made
          .rows()
          .flatMap(({ n }, i) => ((n as number) > 5 && made.opAt(i) !== 'delete' ? [] : [i]));
        return made.select(Uint32Array.from(wanted));
      }),
  })),
  byRow('TRF-22', 'takes what was not sent for null', (row) => ({
    ...row,
    label: row['label'] === UNCHANGED ? null : row['label']!,
  })),
  byRow(
    'TRF-23',
    'cannot do without the column that it reads, and does not say that it needs it',
    (row, _, batch) => {
      if (row['n'] === UNCHANGED) throw new TypeError(`${batch.stream} came without n`);
      return row;
    },
  ),
  changed('TRF-24', 'does not say which row it refuses', (good) => ({
    apply(batch) {
      try {
        return good.apply(batch);
      } catch {
        throw labelTransform.errors!['negative']!('a row is negative');
      }
    },
  })),
  byRow('TRF-25', 'fails over large numbers', (row) => {
    if (typeof row['n'] === 'number') Buffer.alloc(Math.min(row['n'], 1) - (row['n'] > 1_000_000 ? 2 : 0));
    return row;
  }),
];
