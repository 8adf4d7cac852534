/** Rules of rows that cannot be transformed. */
import { type Field, type Row, Special, sameType, type Value } from '@sluice/sdk';
import { demandCoded, demandRefusal } from '../coded-error.js';
import { demandKept, saidBy, secretsOf } from '../no-secrets.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { canonicalValue } from '../values/canonical.js';
import { typeMatrix } from '../values/type-matrix.js';
import { sampleValues } from '../values/value-arbitrary.js';
import { demandColumns } from './output-rules.js';
import type { TransformRule } from './transform-rule.js';
import { applied } from './transform-subject.js';

export const refusalRules: readonly TransformRule[] = [
  {
    id: 'TRF-24',
    must: 'A row that cannot be transformed MUST be refused with a coded error of class data that names its stream and its place in the batch.',
    fix: 'Throw the error with details { stream, row }, row counted from 0; the engine puts that row aside and goes on.',
    concerns: ({ rejects = [] }) => rejects.length > 0,
    async check(session) {
      const bound = await session.bind();
      const { given, rows, schema } = session;
      for (const bad of given.rejects ?? []) {
        for (const at of [0, 1, rows.length]) {
          const batch = session.batch([...rows.slice(0, at), bad, ...rows.slice(at)]);
          const what = `row ${at}, ${show(Object.keys(bad))},`;
          const error = await demandRefusal(
            Promise.resolve().then(() => applied(bound, batch)),
            what,
            ['data'],
          );
          const { stream, row } = error.details;
          demand(
            stream === schema.stream,
            `the error names the stream ${show(stream)}, not ${show(schema.stream)}`,
          );
          demand(row === at, `the error names row ${show(row)}, not ${at}`);
          demandKept(secretsOf(session.transform.options, given.options), [saidBy(error)]);
        }
      }
    },
  },
  {
    id: 'TRF-25',
    must: 'Every value of a column’s type, null where it may be and special values MUST be transformed, or refused with a coded error of class data.',
    fix: 'Let no value fail in another way than as an error of its row, and let none be bent: see the value in the message.',
    async check(session) {
      const bound = await session.bind();
      const row = session.rows[0]!;
      for (const f of session.schema.fields) {
        for (const value of valuesOf(f, session.seed)) {
          const what = `${f.name} = ${canonicalValue(f.type, value)}`;
          const odd: Row = { ...row, [f.name]: value };
          const ended = await outcome(Promise.resolve().then(() => applied(bound, session.batch([odd]))));
          if ('error' in ended) demandCoded(ended.error, what, ['data']);
          else for (const made of ended.value) demandColumns(made);
        }
      }
    },
  },
];

const BY_CHANCE = 20;

function valuesOf({ type, nullable }: Field, seed: number): Value[] {
  const known = typeMatrix.filter((each) => sameType(each.type, type));
  const texts = known.flatMap(({ special = [] }) => special);
  return [
    ...(nullable ? [null] : []),
    ...known.flatMap(({ values }) => values),
    ...sampleValues(type, seed, BY_CHANCE),
    ...(nullable ? texts.map((text) => new Special(text)) : []),
  ];
}
