/** Rules of the batches that come out. */
import { isDeepStrictEqual } from 'node:util';
import { Batch, type BoundTransform, OPS, type Row } from '@sluice/sdk';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import { canonicalRow } from '../values/canonical.js';
import { columnProblems } from '../values/column-check.js';
import { historyOf } from './history.js';
import { demandSameTexts, rereadRows, textsOf } from './rows-of.js';
import type { TransformRule } from './transform-rule.js';
import { applied, streamsOf } from './transform-subject.js';

export const outputRules: readonly TransformRule[] = [
  {
    id: 'TRF-09',
    must: 'Batches MUST have the schema that was promised, of the stream or of those that its routes make, an op for each row, and before-images of the same columns for each row.',
    fix: 'Derive batches with `out`, as batch.derive(out, columns), and give the before-images the same columns.',
    async check(session) {
      const bound = await session.bind();
      const batches = [session.batch(), ...historyOf(session, 'whole')];
      for (const batch of batches) for (const made of applied(bound, batch)) demandShape(made, bound);
    },
  },
  {
    id: 'TRF-10',
    must: 'Columns MUST have the layout of their type and the length of their batch, hold values within it and none under null bits, and rows() MUST show them.',
    fix: 'Make columns with columnBuilder() or columnOf() for the field of `out`, or keep to the tables of layouts and values.',
    async check(session) {
      for (const made of applied(await session.bind(), session.batch())) demandColumns(made);
    },
  },
  {
    id: 'TRF-11',
    must: 'A transform MUST NOT change the batch that it is given, nor one that it has handed on.',
    fix: 'Make new columns and new row objects; do not write into those of the batch, nor into buffers that were used before.',
    async check(session) {
      const bound = await session.bind();
      const batch = session.batch();
      const given = session.batch().columns();
      const made = applied(bound, batch);
      const early = textsOf(made);
      demand(isDeepStrictEqual(batch.columns(), given), 'the columns of the batch have changed');
      const rows = session.rows.map((row) => ({ ...row }));
      const texts = rows.map((row) => canonicalRow(session.schema.fields, row));
      applied(bound, session.batch(rows.toReversed()));
      applied(bound, Batch.ofRows(session.schema, rows));
      demandSameTexts(
        rows.map((row) => canonicalRow(session.schema.fields, row)),
        texts,
        'rows before and after',
      );
      demandSameTexts(textsOf(made), early, 'what came out first, when it came and after others');
    },
  },
  {
    id: 'TRF-12',
    must: 'A batch without rows MUST be taken, and rows not be made of it.',
    fix: 'Let loops over rows run no times; do not take the first row for granted.',
    async check(session) {
      const made = applied(await session.bind(), session.batch([]));
      const rows = made.reduce((sum, { rowCount }) => sum + rowCount, 0);
      demand(rows === 0, `${rows} rows came of none`);
    },
  },
  {
    id: 'TRF-13',
    must: 'What comes out MUST be what the author expects of the rows.',
    fix: 'Compare the row that the message shows with `expected` of the kit’s options; one of them is wrong.',
    concerns: ({ expected }) => expected !== undefined,
    async check(session) {
      const bound = await session.bind();
      const found = applied(bound, session.batch());
      const { expected = [] } = session.given;
      const byStream = Array.isArray(expected)
        ? { [bound.out.stream]: expected as readonly Row[] }
        : (expected as { readonly [stream: string]: readonly Row[] });
      const streams = new Set([...Object.keys(byStream), ...found.map(({ stream }) => stream)]);
      for (const stream of streams) {
        const rows = found.filter((batch) => batch.stream === stream).flatMap(rereadRows);
        demandSameTexts(
          rows.map((row) => canonicalRow(bound.out.fields, row)),
          (byStream[stream] ?? []).map((row) => canonicalRow(bound.out.fields, row)),
          `rows of ${stream}, made and expected,`,
        );
      }
    },
  },
];

function demandShape(made: Batch, bound: BoundTransform): void {
  const { stream, ...shape } = plain(made.schema);
  const { stream: _, ...promised } = plain(bound.out);
  demand(
    streamsOf(bound).includes(stream),
    `a batch is of ${show(stream)}, promised are ${show(streamsOf(bound))}`,
  );
  demand(
    JSON.stringify(shape) === JSON.stringify(promised),
    () => `a batch has another schema than was promised, ${showDifference(shape, promised)}`,
  );
  const { op, before, rowCount } = made;
  if (typeof op === 'string') demand(OPS.includes(op), `the op is ${show(op)}`);
  else
    demand(
      op.length === rowCount && op.every((code) => code < OPS.length),
      `${op.length} ops for ${rowCount} rows`,
    );
  if (before === undefined) return;
  demand(before.rowCount === rowCount, `before-images of ${before.rowCount} rows for ${rowCount}`);
  const [was, is] = [before, made].map(({ schema }) => schema.fields.map(({ name }) => name));
  demand(show(was) === show(is), `before-images have the columns ${show(was)}, rows ${show(is)}`);
}

/** Throws unless columns are as their types say and rows show them. */
export function demandColumns(made: Batch): void {
  const { fields } = made.schema;
  for (const [i, f] of fields.entries()) {
    const [problem] = columnProblems(f, made.column(i), made.rowCount);
    demand(problem === undefined, `${problem?.text}`);
  }
  const shown = made.rows().map((row) => canonicalRow(fields, row));
  demandSameTexts(
    shown,
    rereadRows(made).map((row) => canonicalRow(fields, row)),
    'rows and columns',
  );
}

/** JSON drops what is undefined. */
function plain(schema: Batch['schema']): Batch['schema'] {
  return JSON.parse(JSON.stringify(schema)) as Batch['schema'];
}
